// SPDX-License-Identifier: MIT
#include "kernel/probe_spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "kernel/pidfd.h"

namespace watchq {
namespace {

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    // No signal of ours, and none that a terminal sends to our process group, concerns a probe.
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }

  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

class SpawnActions {
 public:
  /// The child gets `socket` as its standard input.
  explicit SpawnActions(int socket) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
    // A probe that cannot be ended does not keep open what others read our messages from. Nothing
    // is written there; we may open no file for writing.
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
      ::posix_spawn_file_actions_addopen(&actions_, output, "/dev/null", O_RDONLY, 0);
    }
    // Its place in the file system is no business of a user's mount.
    ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

UniqueFd start_self(int socket, const char* argument) {
  std::array<char, 8> name{"watchqd"};
  std::string copy = argument;
  std::array<char*, 3> arguments{name.data(), copy.data(), nullptr};
  pid_t pid = 0;
  errno = ::posix_spawn(&pid, "/proc/self/exe", SpawnActions(socket).get(), SpawnAttributes().get(),
                        arguments.data(), environ);
  if (errno != 0) throw_errno("starting a probe process");
  UniqueFd process(open_pidfd(pid));
  if (process.valid()) return process;
  const int error = errno;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  errno = error;
  throw_errno("pidfd_open");
}

namespace {

void send_setup(int socket, const ProbeSetup& setup, int space_fd, int object_fd) {
  ProbeSetup copy = setup;
  iovec part{&copy, sizeof copy};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  if (space_fd >= 0) {
    const std::array<int, 2> fds{space_fd, object_fd};
    const std::size_t bytes = (object_fd >= 0 ? 2 : 1) * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), fds.data(), bytes);
  }
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) throw_errno("telling a probe what to do");
}

}  // namespace

SpawnedProbe spawn_probe(const ProbeSetup& setup, int space_fd, int object_fd) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("socketpair");
  }
  SpawnedProbe probe{UniqueFd(ends[0]), UniqueFd()};
  const UniqueFd theirs(ends[1]);
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) throw_errno("fcntl");
  send_setup(ends[0], setup, space_fd, object_fd);
  probe.process = start_self(theirs.get(), kProbeArgument);
  return probe;
}

int await_probe(const SpawnedProbe& probe, int milliseconds) {
  pollfd waited{probe.socket.get(), POLLIN, 0};
  if (::poll(&waited, 1, milliseconds) <= 0) return ETIMEDOUT;
  ProbeAnswer answer;
  const ssize_t got = ::recv(probe.socket.get(), &answer, sizeof answer, 0);
  return got == static_cast<ssize_t>(sizeof answer) ? answer.error : ECHILD;
}

}  // namespace watchq
