// SPDX-License-Identifier: MIT
#include "tool/path_state.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "kernel/mountinfo.h"
#include "tool/read_file.h"

namespace watchq {
namespace {

bool is_read_only(const MountInfo& mount) {
  const std::string& options = mount.superblock_options;
  return (mount.attributes & MOUNT_ATTR_RDONLY) != 0 || options == "ro" ||
         options.starts_with("ro,");
}

/// The mount with an ID, or where that is not known the last one at the path.
std::optional<MountInfo> mount_of(std::optional<std::uint64_t> id, const std::string& path) {
  std::optional<MountInfo> found;
  for (MountInfo& mount : parse_mountinfo(read_file("/proc/self/mountinfo"))) {
    if (id ? mount.id == *id : mount.mount_point == path) found = std::move(mount);
  }
  return found;
}

}  // namespace

std::optional<PathState> find_path_state(std::string_view word) {
  if (word == "mounted" || word == "new_mount") return PathState::mounted;
  if (word == "unmounted" || word == "unmount") return PathState::unmounted;
  if (word == "readonly" || word == "ro") return PathState::read_only;
  if (word == "rw") return PathState::writable;
  return std::nullopt;
}

std::string canonical_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  std::filesystem::path canonical = std::filesystem::weakly_canonical(absolute, error);
  if (error) canonical = absolute.lexically_normal();
  std::string text = canonical.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

PathHolder holder_of(const std::string& path) {
  struct statx status;
  PathHolder holder;
  if (::statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID,
              &status) == 0) {
    holder.exists = true;
    holder.is_mount_point = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    holder.mount = mount_of(status.stx_mnt_id, path);
    return holder;
  }
  if (errno == ENOENT || errno == ENOTDIR) return holder;
  // Not ours to enter, or its server has gone: the list of mounts knows it all the same.
  holder.mount = mount_of(std::nullopt, canonical_path(path));
  holder.exists = holder.is_mount_point = holder.mount.has_value();
  return holder;
}

bool is_in_state(const PathHolder& holder, PathState state) {
  switch (state) {
    case PathState::mounted:
      return holder.is_mount_point;
    case PathState::unmounted:
      return !holder.is_mount_point;
    case PathState::read_only:
      return holder.mount && is_read_only(*holder.mount);
    case PathState::writable:
      return holder.mount && !is_read_only(*holder.mount);
  }
  __builtin_unreachable();
}

}  // namespace watchq
