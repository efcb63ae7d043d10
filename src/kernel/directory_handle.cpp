// SPDX-License-Identifier: MIT
#include "kernel/directory_handle.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kernel/mount_namespace_fd.h"

namespace watchq {
namespace {

constexpr std::uint64_t kOpenDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;

/// A struct file_handle with room for the longest handle.
struct HandleRoom {
  alignas(file_handle) std::array<std::byte, sizeof(file_handle) + MAX_HANDLE_SZ> bytes{};

  file_handle& handle() { return *reinterpret_cast<file_handle*>(bytes.data()); }
  std::byte* text() { return bytes.data() + sizeof(file_handle); }
};

/// A mount or rename anywhere on the machine during the walk in memory ends it with EAGAIN, as does
/// a directory that is not in memory: which of them it was shows when it is tried again. A walk
/// takes a microsecond.
constexpr int kCachedWalks = 50;

UniqueFd open_resolved(int directory, const char* path, std::uint64_t flags,
                       std::uint64_t resolve) {
  open_how how{};
  how.flags = flags;
  how.resolve = resolve;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
}

UniqueFd walk_in_memory(const std::string& path, std::uint64_t flags) {
  UniqueFd found;
  for (int walk = 0; walk < kCachedWalks; ++walk) {
    found = open_resolved(AT_FDCWD, path.c_str(), flags,
                          RESOLVE_CACHED | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (found.valid() || errno != EAGAIN) break;
  }
  return found;
}

}  // namespace

std::optional<DirectoryHandle> name_directory(int fd) {
  HandleRoom room;
  room.handle().handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  if (::name_to_handle_at(fd, "", &room.handle(), &mount_id, AT_EMPTY_PATH) != 0) {
    return std::nullopt;
  }
  return DirectoryHandle{room.handle().handle_type,
                         {room.text(), room.text() + room.handle().handle_bytes}};
}

UniqueFd open_parent(int fd) {
  UniqueFd parent = open_resolved(fd, "..", kOpenDirectory, RESOLVE_NO_XDEV);
  struct stat below;
  struct stat above;
  // Above the root of all is the root.
  if (parent.valid() && (::fstat(fd, &below) != 0 || ::fstat(parent.get(), &above) != 0 ||
                         (below.st_ino == above.st_ino && below.st_dev == above.st_dev))) {
    parent.reset();
  }
  return parent;
}

UniqueFd open_cached(int namespace_fd, const std::string& path) {
  UniqueFd found;
  // Handles are not resolved through an O_PATH descriptor.
  in_mount_namespace(namespace_fd,
                     [&] { found = walk_in_memory(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  return found;
}

UniqueFd open_detached(int namespace_fd, const std::string& path,
                       const std::function<bool(int)>& is_it) {
  UniqueFd found;
  in_mount_namespace(namespace_fd, [&] {
    // Until the copy is made, the mount cannot be unmounted. Whoever has just been given the
    // processor keeps it for long enough, also on a busy machine.
    ::sched_yield();
    found = walk_in_memory(path, kOpenDirectory);
    if (!found.valid()) return;
    if (!is_it(found.get())) {
      found.reset();
      return;
    }
    UniqueFd copy(
        ::open_tree(found.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (copy.valid()) found = std::move(copy);
  });
  return found;
}

UniqueFd open_by_handle(int mount_fd, const DirectoryHandle& handle) {
  HandleRoom room;
  if (handle.bytes.size() > MAX_HANDLE_SZ) return UniqueFd();
  room.handle().handle_bytes = static_cast<unsigned int>(handle.bytes.size());
  room.handle().handle_type = handle.type;
  std::memcpy(room.text(), handle.bytes.data(), handle.bytes.size());
  return UniqueFd(::open_by_handle_at(mount_fd, &room.handle(), static_cast<int>(kOpenDirectory)));
}

}  // namespace watchq
