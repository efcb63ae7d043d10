// SPDX-License-Identifier: MIT
// The kernel's own watch queue (CONFIG_WATCH_QUEUE, Linux 5.8): a pipe. Its records have other
// numbers than ours, which stay in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/key_deed.h"

namespace watchq {

/// What came out of such a pipe.
struct KeyPipeTaken {
  std::vector<KeyDeed> deeds;
  bool lost = false;  ///< the kernel had no room for some
};

/// Decodes what one read of the pipe gave: whole records, nothing of one that is none, and adds it
/// to `taken`. Pure.
void decode_key_pipe(std::span<const std::byte> records, KeyPipeTaken& taken);

/// One thread.
class KeyPipe {
 public:
  /// Throws std::system_error: ENOPKG where the kernel has no watch queue.
  KeyPipe();

  /// Throws std::system_error: EOPNOTSUPP where the kernel's watch queue tells nothing of keys
  /// (CONFIG_KEY_NOTIFICATIONS).
  void probe();

  /// Watches a key, by the rights and keyrings of the calling thread. Throws std::system_error:
  /// EACCES when it may not view it, ENOKEY, EKEYREVOKED, EKEYEXPIRED, EBUSY when this pipe has it
  /// already, EAGAIN at the limit of watches (RLIMIT_NOFILE).
  void watch(std::int32_t key);
  /// Undoes it. Without effect on a key that is gone, or that the thread may view no more: that one
  /// stays watched.
  void unwatch(std::int32_t key);

  /// To be waited for.
  [[nodiscard]] int fd() const { return pipe_.get(); }
  /// Takes all that waits. Throws std::system_error.
  KeyPipeTaken take();

 private:
  UniqueFd pipe_;   // where it is read; it is where watches are set, too
  UniqueFd other_;  // its other end: without it there would be an end of file
};

}  // namespace watchq
