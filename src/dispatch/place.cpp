// SPDX-License-Identifier: MIT
#include "dispatch/place.h"

#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

/// Renames above the directory can move its path and its mount's between two questions.
constexpr int kPlaceAttempts = 4;

/// The place of a directory whose path, asked for by `path_now`, does not change meanwhile.
template <typename PathNow>
Place settled_place(MountNamespace& mounts, const Peer& caller, OpenObject directory,
                    PathNow path_now) {
  const std::uint64_t mount = mount_of(mounts, directory).info.mount;
  for (int attempt = 0; attempt < kPlaceAttempts; ++attempt) {
    if (!is_at_or_below(directory.path, caller.root())) {
      throw RequestError(EPERM, "the object is not below the caller's root directory");
    }
    auto place = mounts.place_in_mount(mount, directory.path);
    const auto again = path_now();
    if (place && again == directory.path) return {mount, *std::move(place)};
    if (!again) throw RequestError(EBADF, "the caller closed the object");
    directory.path = *again;
  }
  throw RequestError(EAGAIN, "the directory is being renamed");
}

}  // namespace

const Mount& mount_of(MountNamespace& mounts, const OpenObject& object) {
  const Mount* mount = mounts.find(object);
  if (mount == nullptr) {
    mounts.catch_up();
    mount = mounts.find(object);
  }
  if (mount == nullptr) {
    throw RequestError(EINVAL, "the object is not in the caller's mount namespace");
  }
  return *mount;
}

Place place_of(MountNamespace& mounts, const Peer& caller, int fd, OpenObject directory) {
  return settled_place(mounts, caller, std::move(directory), [&] { return caller.path_of(fd); });
}

Place place_of_root(MountNamespace& mounts, const Peer& caller, OpenObject root) {
  return settled_place(mounts, caller, std::move(root),
                       [&] { return std::optional(caller.root()); });
}

}  // namespace watchq
