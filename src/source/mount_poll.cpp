// SPDX-License-Identifier: MIT
#include "source/mount_poll.h"

#include <algorithm>
#include <utility>

#include "kernel/mountinfo.h"

namespace watchq {

MountPoll::MountPoll(const MountContext& context, int namespace_fd)
    : MountNamespace(context, namespace_fd) {
  load(parse_mountinfo(read_mountinfo(mountinfo_fd())));
}

void MountPoll::look() {
  // A rename of a directory above a mount wakes nobody, a move does: also one that comes while the
  // listing is read, which then may or may not show it.
  bool woken = take_wake();
  auto infos = parse_mountinfo(read_mountinfo(mountinfo_fd()));
  if (!woken && take_wake()) {
    woken = true;
    infos = parse_mountinfo(read_mountinfo(mountinfo_fd()));
  }
  reload(infos, woken ? PlaceChange::is_move : PlaceChange::is_rename);
}

std::optional<MountInfo> MountPoll::describe(std::uint64_t mount) const {
  auto infos = parse_mountinfo(read_mountinfo(mountinfo_fd()));
  const auto found = std::find_if(infos.begin(), infos.end(),
                                  [&](const MountInfo& info) { return info.mount == mount; });
  return found == infos.end() ? std::nullopt : std::optional(std::move(*found));
}

}  // namespace watchq
