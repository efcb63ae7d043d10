// SPDX-License-Identifier: MIT
// How long a cheap system call takes, in nanoseconds: the least of many short runs.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "bench/two_processes.h"

int main() {
  constexpr int kRuns = 200;
  constexpr int kCalls = 1000;
  double least = std::numeric_limits<double>::max();
  for (int run = 0; run < kRuns; ++run) {
    const std::uint64_t began = watchq::bench::now_ns();
    for (int call = 0; call < kCalls; ++call) ::syscall(SYS_getppid);
    least = std::min(least, static_cast<double>(watchq::bench::now_ns() - began) / kCalls);
  }
  std::printf("%.2f\n", least);
}
