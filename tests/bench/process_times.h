// SPDX-License-Identifier: MIT
// What processes cost, and whether they have nothing left to do.
#pragma once

#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace watchq::bench {

/// The processor time that these processes have spent so far, in user and kernel mode, in
/// nanoseconds; of one that has ended, nothing.
inline std::uint64_t processor_ns(const std::vector<pid_t>& processes) {
  std::uint64_t sum = 0;
  for (const pid_t process : processes) {
    clockid_t clock{};
    timespec spent{};
    if (::clock_getcpuclockid(process, &clock) != 0) continue;
    ::clock_gettime(clock, &spent);
    sum += static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(spent.tv_nsec);
  }
  return sum;
}

inline bool sleeps(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto end = text.rfind(')');
  return end == std::string::npos || text.compare(end + 1, 2, " S") == 0;
}

/// Waits until all of them sleep and have spent nothing for some milliseconds.
inline void wait_until_quiet(const std::vector<pid_t>& processes) {
  std::uint64_t before = processor_ns(processes);
  for (int quiet = 0; quiet < 2;) {
    ::usleep(3000);
    bool all_sleep = true;
    for (const pid_t process : processes) all_sleep = all_sleep && sleeps(process);
    const std::uint64_t now = processor_ns(processes);
    quiet = all_sleep && now == before ? quiet + 1 : 0;
    before = now;
  }
}

}  // namespace watchq::bench
