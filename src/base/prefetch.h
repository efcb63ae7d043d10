// SPDX-License-Identifier: MIT
// prefetch_for_writing: asks for a cache line that is about to be written.
#pragma once

namespace watchq {

/// Begins to fetch the cache line at `address` so that this core may write it: what another core
/// has is asked for once, not first to read and then again to write. A hint: any address will do,
/// and nothing that the program can see depends on it.
inline void prefetch_for_writing(const void* address) {
#if defined(__x86_64__)
  // The compilers take the reading kind where they may not assume this one; a processor without it
  // does nothing.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace watchq
