// SPDX-License-Identifier: MIT
#include "hostile/shared.h"

#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <new>

#include "base/error.h"

namespace watchq {

void Delays::add(std::uint64_t nanoseconds) {
  const double microseconds = static_cast<double>(nanoseconds) / 1000;
  const auto bucket =
      microseconds < 1 ? 0 : static_cast<std::size_t>(std::log2(microseconds) * 8) + 1;
  ++counts_.at(std::min(bucket, kBuckets - 1));
  std::uint64_t longest = longest_.load();
  while (nanoseconds > longest && !longest_.compare_exchange_weak(longest, nanoseconds)) {
  }
}

std::uint64_t Delays::count() const {
  std::uint64_t count = 0;
  for (const auto& bucket : counts_) count += bucket.load();
  return count;
}

double Delays::quantile(double share) const {
  const double wanted = static_cast<double>(count()) * share;
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    sum += counts_[bucket].load();
    if (static_cast<double>(sum) >= wanted) return std::exp2(static_cast<double>(bucket) / 8);
  }
  return longest();
}

namespace {

void* map_shared(std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("mmap");
  return memory;
}

}  // namespace

Shared* make_shared_state() {
  auto* tallies = new (map_shared(sizeof(Tallies))) Tallies;
  return new (map_shared(sizeof(Shared))) Shared(*tallies);
}

Tallies& keep_tallies_alone(Shared& shared) {
  Tallies& tallies = shared.tallies;
  if (::munmap(&shared, sizeof shared) != 0) throw_errno("munmap");
  return tallies;
}

}  // namespace watchq
