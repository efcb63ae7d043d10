// SPDX-License-Identifier: MIT
// What a measurement between two processes takes: memory that both see, and a core for each.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace watchq::bench {

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

/// Zeroed memory that a child of this process shares. Freed with its owner.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t size)
      : size_(size),
        at_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
                   -1, 0)) {
    if (at_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(at_, size_); }

  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(at_); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  void* at_;
};

/// The cores that this process may use.
inline std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

inline void pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// One turn of a loop that waits for the other process: where both share a core, that must run.
class Spin {
 public:
  explicit Spin(bool shares_core) : shares_core_(shares_core) {}
  void wait() const {
    if (shares_core_) {
      ::sched_yield();
      return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

 private:
  bool shares_core_;
};

/// Runs one function in a child, the other here, each on a core of its own where there are two. The
/// functions are given how to wait for each other. Both must end by themselves.
template <typename There, typename Here>
void run_pair(There there, Here here) {
  const auto cores = usable_cores();
  const Spin spin(cores.size() < 2);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    pin_to(cores.back());
    there(spin);
    ::_exit(0);
  }
  pin_to(cores.front());
  here(spin);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the other process has failed");
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const int core : cores) CPU_SET(core, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

}  // namespace watchq::bench
