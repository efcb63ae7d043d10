// SPDX-License-Identifier: MIT
#include "kernel/probe_spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "kernel/start_self.h"

namespace watchq {
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
