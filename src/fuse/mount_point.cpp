// SPDX-License-Identifier: MIT
#include "fuse/mount_point.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <future>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "fuse/fusermount.h"
#include "kernel/mountinfo.h"

namespace watchq {
namespace {

constexpr const char* kType = "fuse.watchq";
constexpr auto kAnswerTime = std::chrono::seconds(3);

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what);
}

std::string text_of(int error) { return std::system_category().message(error); }

/// O_PATH and no access: a dead or silent filesystem that is mounted there is not asked anything.
UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// The mountinfo ID of the mount that an open file is on; 0 when it cannot be told.
std::uint32_t mount_id_of(int fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  for (std::string word; info >> word;) {
    std::uint32_t id = 0;
    if (word == "mnt_id:" && info >> id) return id;
  }
  return 0;
}

/// Whether the mount with this ID is a watchqd's.
bool is_watchq(std::uint32_t mount_id) {
  const UniqueFd mountinfo(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!mountinfo.valid()) return false;
  const auto mounts = parse_mountinfo(read_mountinfo(mountinfo.get()));
  return std::any_of(mounts.begin(), mounts.end(), [&](const MountInfo& mount) {
    return mount.id == mount_id && mount.fs_type == kType;
  });
}

enum class Answer { alive, dead, none };

/// Asks the filesystem, on a thread of its own: one that was stopped may never answer.
Answer ask(const std::string& path) {
  std::packaged_task<int()> stat([path] {
    struct statx unused;
    return ::statx(AT_FDCWD, path.c_str(), AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &unused) == 0
               ? 0
               : errno;
  });
  auto result = stat.get_future();
  std::thread(std::move(stat)).detach();
  if (result.wait_for(kAnswerTime) != std::future_status::ready) return Answer::none;
  return result.get() == ENOTCONN ? Answer::dead : Answer::alive;
}

UniqueFd open_device(const std::string& path) {
  UniqueFd device(::open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (device.valid()) return device;
  if (errno == EACCES || errno == EPERM) {
    refuse(path, "no right to open /dev/fuse; run watchqd as root, or with --user");
  }
  refuse(path, "cannot open /dev/fuse (" + text_of(errno) + "); load the module: modprobe fuse");
}

}  // namespace

MountPoint::MountPoint(std::string path, For users) : path_(std::move(path)), users_(users) {
  clear();
  if (users_ == For::everybody) {
    mount(",allow_other");
  } else {
    // In a user namespace of its own, a user may mount by itself.
    const UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (::geteuid() == 0 && device.valid()) {
      mount("");
    } else {
      by_fusermount_ = true;
      device_ = mount_by_fusermount(
          path_, "fsname=watchq,subtype=watchq,default_permissions,nosuid,nodev,noexec,noatime");
    }
  }
  mount_id_ = mount_id_of(open_directory(path_).get());
}

void MountPoint::mount(const std::string& more_options) {
  device_ = open_device(path_);
  // The kernel checks file modes by itself.
  const std::string options = "fd=" + std::to_string(device_.get()) +
                              ",rootmode=40000,user_id=" + std::to_string(::geteuid()) +
                              ",group_id=" + std::to_string(::getegid()) + ",default_permissions" +
                              more_options;
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME;
  if (::mount("watchq", path_.c_str(), kType, kFlags, options.c_str()) != 0) {
    if (errno == EPERM)
      refuse(path_, "no right to mount here; run watchqd as root, or with --user");
    refuse(path_, "cannot mount: " + text_of(errno));
  }
}

bool MountPoint::unmount() const {
  // Lazily, since clients may have files open; the end of the connection wakes them.
  if (::umount2(path_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return true;
  return errno == EPERM && users_ == For::owner && unmount_by_fusermount(path_);
}

MountPoint::~MountPoint() {
  // Only what is ours: somebody may have unmounted it, or mounted something over it.
  const UniqueFd top = open_directory(path_);
  if (top.valid() && mount_id_of(top.get()) == mount_id_) {
    static_cast<void>(unmount());
  }
}

void MountPoint::clear() {
  for (;;) {
    const UniqueFd directory = open_directory(path_);
    if (!directory.valid()) {
      if (errno == ENOENT) refuse(path_, "no such directory; create it: mkdir " + path_);
      if (errno == ENOTDIR) refuse(path_, "not a directory; name one to mount on");
      refuse(path_, "cannot open: " + text_of(errno));
    }
    if (!is_watchq(mount_id_of(directory.get()))) return;
    switch (ask(path_)) {
      case Answer::alive:
        refuse(path_, "another watchqd serves it already; end that one or name another directory");
      case Answer::none:
        refuse(
            path_,
            "another watchqd is mounted there and does not answer; end it, then: umount --lazy " +
                path_);
      case Answer::dead:
        break;
    }
    if (!unmount()) {
      refuse(path_, "cannot unmount what a crashed watchqd left (" + text_of(errno) +
                        "); run watchqd as root");
    }
    replaced_ = true;
  }
}

}  // namespace watchq
