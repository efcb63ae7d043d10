// SPDX-License-Identifier: MIT
#include "source/superblock_examiner.h"

#include <sys/vfs.h>

#include <cstring>

#include "kernel/inotify.h"
#include "kernel/local_filesystem.h"

namespace watchq {
namespace {

/// Of the kernel's own making, or of others that may be slow to say how full they are, but that let
/// a directory be traced without asking anybody.
bool is_of_the_kernel(const std::string& fs_type) {
  static const std::unordered_set<std::string> kTraceable = {
      "binfmt_misc", "bpf",        "cgroup",    "cgroup2",   "configfs", "debugfs",
      "devpts",      "devtmpfs",   "efivarfs",  "hugetlbfs", "mqueue",   "overlay",
      "pstore",      "securityfs", "selinuxfs", "sysfs",     "tracefs"};
  return kTraceable.contains(fs_type);
}

}  // namespace

bool is_traceable_filesystem(const std::string& fs_type) {
  return is_local_filesystem(fs_type) || is_of_the_kernel(fs_type);
}

SuperblockExaminer::SuperblockExaminer() : inotify_(open_inotify()) {}

ExaminedSuperblock SuperblockExaminer::examine(int fd, const MountInfo& mount) {
  ExaminedSuperblock examined;
  examined.done = true;
  examined.local = is_local_filesystem(mount.fs_type);
  if (is_traceable_filesystem(mount.fs_type)) examined.trace = trace(fd);
  if (!examined.local) {
    examined.error_mark_missing = mount.fs_type + " is not asked, since it might not answer";
    return examined;
  }
  struct statfs figures {};
  if (::fstatfs(fd, &figures) != 0) {
    examined.error_mark_missing = "fstatfs: " + std::string(std::strerror(errno));
    return examined;
  }
  examined.figures = figures;
  FilesystemId id{};
  static_assert(sizeof id == sizeof figures.f_fsid);
  std::memcpy(&id, &figures.f_fsid, sizeof id);
  auto mark = errors_.mark(fd, mount.device, id);
  examined.error_mark = mark.id;
  examined.error_mark_missing = std::move(mark.missing);
  return examined;
}

int SuperblockExaminer::trace(int fd) {
  {
    const std::lock_guard lock(mutex_);
    ++adding_;
  }
  const int trace = add_trace(inotify_.get(), fd);
  const std::lock_guard lock(mutex_);
  --adding_;
  if (trace >= 0) ++given_[trace];
  remove_unused();
  return trace;
}

void SuperblockExaminer::keep(int trace) {
  const std::lock_guard lock(mutex_);
  kept_.insert(trace);
}

void SuperblockExaminer::forget(int trace) {
  const std::lock_guard lock(mutex_);
  kept_.erase(trace);
}

void SuperblockExaminer::release(const ExaminedSuperblock& examined) {
  if (examined.error_mark != 0) errors_.release(examined.error_mark);
  if (examined.trace < 0) return;
  const int trace = examined.trace;
  const std::lock_guard lock(mutex_);
  const auto given = given_.find(trace);
  if (given != given_.end() && given->second > 0) --given->second;
  remove_unused();
}

void SuperblockExaminer::remove_unused() {
  if (adding_ != 0) return;
  std::erase_if(given_, [this](const auto& entry) {
    if (entry.second != 0) return false;
    if (!kept_.contains(entry.first)) remove_trace(inotify_.get(), entry.first);
    return true;
  });
}

}  // namespace watchq
