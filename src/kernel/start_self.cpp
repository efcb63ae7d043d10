// SPDX-License-Identifier: MIT
#include "kernel/start_self.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"

namespace watchq {
namespace {

/// The descriptor by which a child gets its socket. All above it is what the child has no copy of.
class Gate {
 public:
  Gate() {
    const UniqueFd nowhere(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nowhere.valid()) throw_errno("open of /dev/null");
    nowhere_.reset(::fcntl(nowhere.get(), F_DUPFD_CLOEXEC, kFirst));
    fd_.reset(::fcntl(nowhere.get(), F_DUPFD_CLOEXEC, kFirst));
    if (!nowhere_.valid() || !fd_.valid()) throw_errno("dup of /dev/null");
  }

  [[nodiscard]] int get() const { return fd_.get(); }
  /// Open on /dev/null, and below get().
  [[nodiscard]] int nowhere() const { return nowhere_.get(); }

  void open_to(int socket) const {
    if (::dup3(socket, fd_.get(), O_CLOEXEC) < 0) throw_errno("dup of a socket");
  }

  /// Whoever has the other end sees at once when the child has gone.
  void close() const { ::dup3(nowhere_.get(), fd_.get(), O_CLOEXEC); }

  std::mutex mutex;  ///< held from open_to() to close()

 private:
  static constexpr int kFirst = 3;  // not one of the standard ones, though they be closed

  UniqueFd nowhere_;
  UniqueFd fd_;
};

Gate& gate() {
  static Gate gate;
  return gate;
}

/// What a child that shares our memory is told, and the error that it tells.
struct Start {
  int gate;
  int nowhere;
  std::array<char*, 3> arguments;
  int error = 0;
};

/// No signal handler of ours runs in a child that shares our memory.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool take_descriptors(const Start& start) {
  // Its own table from here on. Not copied first and closed then, as a start by posix_spawn(3) does
  // it, whose child for a moment holds all that our threads have open: a user's mount as well.
  const auto above = static_cast<unsigned int>(start.gate) + 1;
  if (::syscall(SYS_close_range, above, ~0U, CLOSE_RANGE_UNSHARE) != 0) return false;
  // A probe that cannot be ended does not keep open what others read our messages from. Nothing
  // is written there; we may open no file for writing.
  return ::dup2(start.gate, STDIN_FILENO) >= 0 && ::dup2(start.nowhere, STDOUT_FILENO) >= 0 &&
         ::dup2(start.nowhere, STDERR_FILENO) >= 0;
}

int run_child(void* argument) {
  Start& start = *static_cast<Start*>(argument);
  // No signal that a terminal sends to our process group concerns a probe, and its place in the
  // file system is no business of a user's mount.
  if (take_descriptors(start) && ::setpgid(0, 0) == 0 && ::chdir("/") == 0) {
    reset_signals();
    ::execve("/proc/self/exe", start.arguments.data(), environ);
  }
  start.error = errno;
  return 1;
}

}  // namespace

void prepare_to_start_self() { gate(); }

UniqueFd start_self(int socket, const char* argument) {
  std::array<char, 8> name{"watchqd"};
  std::string copy = argument;
  Start start{gate().get(), gate().nowhere(), {name.data(), copy.data(), nullptr}};
  constexpr std::size_t kStackBytes = 64 << 10;
  std::vector<std::max_align_t> stack(kStackBytes / sizeof(std::max_align_t));
  int pidfd = -1;
  {
    const std::lock_guard lock(gate().mutex);
    gate().open_to(socket);
    const SignalsHeld held;
    // Returns once the child runs the program, or has ended.
    const int pid =
        ::clone(run_child, stack.data() + stack.size(),
                CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
    if (pid < 0) start.error = errno;
    gate().close();
  }
  UniqueFd process(pidfd);
  if (start.error == 0) return process;
  if (process.valid()) {
    siginfo_t ended{};
    ::waitid(P_PIDFD, static_cast<id_t>(process.get()), &ended, WEXITED);
  }
  errno = start.error;
  throw_errno("starting a probe process");
}

}  // namespace watchq
