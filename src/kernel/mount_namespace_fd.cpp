// SPDX-License-Identifier: MIT
#include "kernel/mount_namespace_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <system_error>
#include <thread>

#include "base/error.h"
#include "kernel/uapi.h"

namespace watchq {
namespace {

bool is_own(int namespace_fd) {
  struct stat own;
  return ::stat("/proc/thread-self/ns/mnt", &own) == 0 &&
         own.st_ino == mount_namespace_inode(namespace_fd);
}

}  // namespace

std::uint64_t mount_namespace_inode(int namespace_fd) {
  struct stat stat;
  if (::fstat(namespace_fd, &stat) != 0) throw_errno("fstat of a mount namespace");
  return stat.st_ino;
}

std::uint64_t mount_namespace_id(int namespace_fd) {
  std::uint64_t id = 0;
  if (::ioctl(namespace_fd, uapi::kNsGetMntnsId, &id) != 0) throw_errno("NS_GET_MNTNS_ID");
  return id;
}

void in_mount_namespace(int namespace_fd, const std::function<void()>& work) {
  int error = 0;
  std::thread([&] {
    if (::unshare(CLONE_FS) == 0 && ::setns(namespace_fd, CLONE_NEWNS) == 0) {
      work();
      return;
    }
    error = errno;
    // Without rights there is the one that this thread is in.
    if (error == EPERM && is_own(namespace_fd)) {
      error = 0;
      work();
    }
  }).join();
  if (error != 0) throw std::system_error(error, std::system_category(), "mount namespace");
}

UniqueFd open_mountinfo(int namespace_fd) {
  // Opened before the switch: the other namespace may have no /proc where we look for it.
  const UniqueFd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!proc.valid()) throw_errno("open of /proc");
  // /proc/PID/mountinfo shows what lies below the root of PID. A thread that enters the namespace
  // has the namespace's root as its own, and needs nobody else's.
  UniqueFd file;
  int error = 0;
  in_mount_namespace(namespace_fd, [&] {
    file.reset(::openat(proc.get(), "thread-self/mountinfo", O_RDONLY | O_CLOEXEC));
    if (!file.valid()) error = errno;
  });
  if (error != 0) {
    throw std::system_error(error, std::system_category(), "open of a namespace's mountinfo");
  }
  return file;
}

bool mountinfo_changed(int mountinfo_fd) {
  pollfd item{mountinfo_fd, POLLPRI, 0};
  return ::poll(&item, 1, 0) == 1;
}

}  // namespace watchq
