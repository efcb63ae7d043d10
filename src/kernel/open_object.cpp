// SPDX-License-Identifier: MIT
#include "kernel/open_object.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string_view>

#include "base/error.h"
#include "kernel/uapi.h"

namespace watchq {
namespace {

// With AT_STATX_DONT_SYNC and no attribute asked for, network and FUSE filesystems answer from what
// they hold. A FUSE filesystem that is closed to us refuses any mask but 0.
bool cached_stat(int fd, unsigned int mask, struct statx& stat) {
  stat = {};
  return ::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, &stat) == 0;
}

std::string path_of(int fd) {
  std::array<char, PATH_MAX> path;
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  if (length < 0) throw RequestError(errno, "path of the object");
  if (static_cast<std::size_t>(length) == path.size()) {
    throw RequestError(ENAMETOOLONG, "path of the object");
  }
  return {path.data(), static_cast<std::size_t>(length)};
}

/// All but the path; `stat` gets what is cheap to know.
OpenObject describe(int fd, struct statx& stat) {
  OpenObject object;
  if (cached_stat(fd, uapi::kStatxMntIdUnique, stat) &&
      (stat.stx_mask & uapi::kStatxMntIdUnique) != 0) {
    object.mount = stat.stx_mnt_id;
  }
  if (!cached_stat(fd, 0, stat)) throw RequestError(errno, "statx of the object");
  object.mount_id = static_cast<std::uint32_t>(stat.stx_mnt_id);
  return object;
}

}  // namespace

OpenObject describe_directory(int fd) {
  struct statx stat;
  OpenObject object = describe(fd, stat);
  const unsigned int type = stat.stx_mode & S_IFMT;  // 0: the filesystem does not let us know
  if (type != 0 && type != S_IFDIR) throw RequestError(ENOTDIR, "the object is no directory");

  object.path = path_of(fd);
  constexpr std::string_view kDeleted = " (deleted)";
  if (type != 0 && stat.stx_nlink == 0 && object.path.ends_with(kDeleted)) {
    throw RequestError(ENOENT, "the directory has been deleted");
  }
  return object;
}

OpenObject describe_file(int fd) {
  struct statx stat;
  return describe(fd, stat);
}

}  // namespace watchq
