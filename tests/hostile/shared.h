// SPDX-License-Identifier: MIT
// What all processes of a stress run share: counters, and the log of what was mounted.
#pragma once

#include <sys/mman.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace watchq {

/// Nanoseconds of CLOCK_MONOTONIC.
inline std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// One mount or unmount, as the mounter did it.
struct MountStep {
  std::atomic<std::uint64_t> done_at{0};  ///< 0 until it is done
  std::uint32_t subtype = 0;
  std::uint32_t mount = 0;
};

/// Delays by logarithm: each bucket is an eighth of a power of two of microseconds.
class Delays {
 public:
  void add(std::uint64_t nanoseconds);
  [[nodiscard]] std::uint64_t count() const;
  /// The upper end of the bucket that this share of all delays does not exceed, in microseconds.
  [[nodiscard]] double quantile(double share) const;
  [[nodiscard]] double longest() const { return static_cast<double>(longest_.load()) / 1000; }

 private:
  static constexpr std::size_t kBuckets = 256;
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> longest_{0};
};

inline constexpr std::size_t kWatchers = 4;
inline constexpr std::size_t kSteps = 4096;  // of the log that are kept
inline constexpr std::size_t kAttacks = 24;

struct WatcherState {
  std::atomic<bool> ready{false};
  std::atomic<std::uint64_t> seen{0};  ///< steps whose record has come
  Delays delays;
};

/// What attackers count. They may damage it, as all that they have mapped.
struct Tallies {
  std::array<std::atomic<std::uint64_t>, kAttacks> rounds{};  ///< by attack
  std::atomic<std::uint64_t> killed{0};
  std::atomic<std::uint64_t> died{0};
};

/// Zero at first; in memory that children inherit, but for attackers.
struct Shared {
  explicit Shared(Tallies& for_attackers) : tallies(for_attackers) {}

  Tallies& tallies;
  std::atomic<bool> stop{false};
  std::array<MountStep, kSteps> steps;
  std::atomic<std::uint64_t> steps_done{0};
  std::array<WatcherState, kWatchers> watchers;
  Delays injected;
};

/// The one instance of a run, for its processes alone. Never freed.
Shared* make_shared_state();

/// For a child that is to attack: takes its mapping of the state away, and leaves the tallies.
Tallies& keep_tallies_alone(Shared& shared);

}  // namespace watchq
