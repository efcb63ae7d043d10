// SPDX-License-Identifier: MIT
#include "kernel/probe_child.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "kernel/mountinfo.h"
#include "kernel/probe_protocol.h"

namespace watchq {
namespace {

/// The descriptors that came with a message: the namespace, then perhaps an object.
struct Received {
  ProbeSetup setup;
  UniqueFd space;
  UniqueFd object;
};

Received receive_setup(int socket) {
  Received received;
  iovec part{&received.setup, sizeof received.setup};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got != static_cast<ssize_t>(sizeof received.setup)) throw_errno("the probe's first message");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return received;
  const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  std::array<int, 2> fds{-1, -1};
  std::memcpy(fds.data(), CMSG_DATA(header), std::min(count, fds.size()) * sizeof(int));
  received.space.reset(fds[0]);
  received.object.reset(fds[1]);
  return received;
}

void require_device(int fd, std::uint64_t device) {
  // What no attribute is asked for is answered from memory.
  struct statx stat {};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stat) != 0) throw_errno("statx");
  if (device != gnu_dev_makedev(stat.stx_dev_major, stat.stx_dev_minor)) {
    errno = ESTALE;  // something else is mounted there by now
    throw_errno("another superblock");
  }
}

UniqueFd open_or_throw(const char* path) {
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw_errno(path);
  return fd;
}

std::string device_text(std::uint64_t device) {
  return std::to_string(gnu_dev_major(device)) + ":" + std::to_string(gnu_dev_minor(device));
}

UniqueFd copy_of(int directory, const std::string& path, unsigned int flags, std::uint64_t device) {
  UniqueFd copy(::open_tree(directory, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
  if (!copy.valid()) throw_errno("open_tree");
  require_device(copy.get(), device);
  return copy;
}

/// Tries all mounts of the superblock: some may be covered by others. No automount is triggered:
/// what is above a mount has been mounted.
UniqueFd copy_any(const std::vector<MountInfo>& mounts, std::uint64_t device) {
  int error = ENOENT;
  for (const MountInfo& mount : mounts) {
    try {
      return copy_of(AT_FDCWD, mount.mount_point, AT_NO_AUTOMOUNT, device);
    } catch (const std::system_error& refused) {
      error = refused.code().value();
    }
  }
  throw std::system_error(error, std::system_category(), "no mount of the superblock");
}

/// Whom a FUSE server is asked for: those only who may use its mount.
void become(const FuseAccess& access) {
  if (access.for_all || (access.user == ::getuid() && access.group == ::getgid())) return;
  if (::setgroups(0, nullptr) != 0 || ::setresgid(access.group, access.group, access.group) != 0 ||
      ::setresuid(access.user, access.user, access.user) != 0) {
    throw_errno("setresuid");
  }
}

/// A detached copy of the mount: the user's own can be unmounted while this one is asked.
UniqueFd copy_mount(const Received& received) {
  const UniqueFd own_space = open_or_throw("/proc/self/ns/mnt");
  // Opened here: there may be no /proc over there. It shows the namespace that we are in when it is
  // opened, so its directory is what is kept.
  const UniqueFd proc(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!proc.valid() || ::setns(received.space.get(), CLONE_NEWNS) != 0) throw_errno("setns");
  const UniqueFd mountinfo(::openat(proc.get(), "mountinfo", O_RDONLY | O_CLOEXEC));
  if (!mountinfo.valid()) throw_errno("mountinfo");
  const SuperblockMounts mounts =
      superblock_mounts(read_mountinfo(mountinfo.get()), device_text(received.setup.device));
  UniqueFd copy = received.object.valid()
                      ? copy_of(received.object.get(), "", AT_EMPTY_PATH, received.setup.device)
                      : copy_any(mounts.mounts, received.setup.device);
  // Else the namespace, with all that is mounted there, would live as long as the probe.
  if (::setns(own_space.get(), CLONE_NEWNS) != 0) throw_errno("setns");
  if (mounts.fuse) become(*mounts.fuse);
  return copy;
}

/// Ends the process once nobody wants its answers any more, whatever its first thread waits for.
void end_with_peer(int socket) {
  std::thread([socket] {
    pollfd waited{socket, POLLRDHUP, 0};
    while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
    }
    ::_exit(0);
  }).detach();
}

ProbeAnswer answer(ProbeQuestion device, int mount) {
  ProbeAnswer answer;
  answer.device = device;
  if (mount < 0) {
    answer.error = ask_ustat(device, answer.ustat);
  } else if (const auto figures = ask_space(mount)) {
    answer.figures = *figures;
  } else {
    answer.error = errno;
  }
  return answer;
}

bool send(int socket, const ProbeAnswer& answer) {
  return ::send(socket, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

}  // namespace

int run_probe(int socket) {
  ::prctl(PR_SET_NAME, "watchqd-probe");
  UniqueFd mount;
  ProbeAnswer ready;
  try {
    const Received received = receive_setup(socket);
    // Then nothing but the copy is held: the descriptors go with `received`.
    if (received.setup.how == ProbeSetup::How::by_mount) mount = copy_mount(received);
  } catch (const std::system_error& error) {
    ready.error = error.code().value();
  }
  if (!send(socket, ready) || ready.error != 0) return 0;
  end_with_peer(socket);
  ProbeQuestion question{};
  while (::recv(socket, &question, sizeof question, 0) == sizeof question) {
    if (!send(socket, answer(question, mount.get()))) break;
  }
  return 0;
}

}  // namespace watchq
