// SPDX-License-Identifier: MIT
// A ring of perf with arbitrary contents, and any place in it.
//
// Input: where to begin, how many bytes, then the ring.
#include <vector>

#include "fuzz/fuzz_input.h"
#include "kernel/trace_ring.h"

namespace watchq {
namespace {

constexpr std::size_t kRing = 1024;

void trace_ring(FuzzInput input) {
  const auto tail = input.take<std::uint64_t>();
  // The kernel never has more in it than it holds.
  const std::uint64_t waiting = input.take<std::uint16_t>() % (kRing + 1);
  std::vector<std::byte> ring(kRing);
  const auto rest = input.rest().first(std::min(input.rest().size(), kRing));
  std::memcpy(ring.data(), rest.data(), rest.size());
  if (tail > UINT64_MAX - waiting) return;  // not in the life of a machine
  TraceTaken taken;
  read_trace_ring(ring, tail, tail + waiting, taken);
  std::size_t bytes = 0;
  for (const TraceSample& sample : taken.samples) bytes += sample.raw.size();
  require(bytes <= waiting, "no more than was there");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::trace_ring(watchq::FuzzInput(data, size));
  return 0;
}
