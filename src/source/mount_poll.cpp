// SPDX-License-Identifier: MIT
#include "source/mount_poll.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "kernel/mount_namespace_fd.h"
#include "kernel/mountinfo.h"

namespace watchq {
namespace {

/// How often a listing is read again at once because mounts changed while it was read, and how many
/// looks in a row may end without one before the last is taken as it is.
constexpr int kListAttempts = 8;
constexpr int kUnsettledLooks = 20;

/// What is mounted on mounts that are listed, up to the root. The kernel gives a listing piece by
/// piece: one that mounts changed meanwhile may have lost a parent, or go round in a circle.
std::vector<MountInfo> connected(std::vector<MountInfo> infos) {
  std::unordered_map<std::uint64_t, const MountInfo*> by_id;
  for (const MountInfo& info : infos) by_id.emplace(info.mount, &info);
  // Each is walked over once, however deep they are nested. Who is being walked over counts as
  // going round in a circle.
  std::unordered_map<const MountInfo*, bool> known;
  const auto reaches_root = [&](const MountInfo& info) {
    std::vector<const MountInfo*> way;
    const MountInfo* at = &info;
    while (known.emplace(at, false).second) {
      way.push_back(at);
      const auto parent = by_id.find(at->parent);
      if (parent == by_id.end() || parent->second == at) {
        known[at] = at->mount_point == "/";
        break;
      }
      at = parent->second;
    }
    const bool reaches = known[at];
    for (const MountInfo* passed : way) known[passed] = reaches;
    return reaches;
  };
  std::vector<MountInfo> found;
  std::copy_if(infos.begin(), infos.end(), std::back_inserter(found), reaches_root);
  return found;
}

}  // namespace

MountPoll::MountPoll(const MountContext& context, int namespace_fd)
    : MountNamespace(context, namespace_fd) {
  load(connected(list()));
}

void MountPoll::look() {
  try {
    compare();
  } catch (const std::system_error&) {
    look_again();  // while a pivot_root(2) goes on around us there is no /proc
  }
}

void MountPoll::compare() {
  // A rename of a directory above a mount wakes nobody, a move does: also one that comes while the
  // listing is read, which then may or may not show it.
  bool woken = take_wake();
  context_.sink.before_events();
  auto infos = list();
  for (int attempt = 1; take_wake(); ++attempt) {
    woken = true;
    if (attempt == kListAttempts) {
      look_again();
      if (++unsettled_ < kUnsettledLooks) return;
      break;
    }
    infos = list();
  }
  unsettled_ = 0;
  reload(connected(std::move(infos)), woken ? PlaceChange::is_move : PlaceChange::is_rename);
}

std::optional<MountInfo> MountPoll::describe(std::uint64_t mount) const {
  auto infos = list();
  const auto found = std::find_if(infos.begin(), infos.end(),
                                  [&](const MountInfo& info) { return info.mount == mount; });
  return found == infos.end() ? std::nullopt : std::optional(std::move(*found));
}

std::vector<MountInfo> MountPoll::list() const {
  // Opened anew: the root of the namespace may be another by now.
  return parse_mountinfo(read_mountinfo(open_mountinfo(this->namespace_fd()).get()));
}

}  // namespace watchq
