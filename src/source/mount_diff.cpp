// SPDX-License-Identifier: MIT
#include "source/mount_diff.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "source/mount_event.h"

namespace watchq {
namespace {

/// An ID of mountinfo may name another mount by now.
bool is_same(const MountInfo& before, const MountInfo& now) {
  // So may a device number that belongs to no block device; where it does, its name may change.
  const bool nodev = now.device.starts_with("0:");
  return before.device == now.device && before.root == now.root && before.fs_type == now.fs_type &&
         (!nodev || before.source == now.source);
}

/// Whether a mount is now another one with its ID.
bool is_replaced(const MountTable& before, const MountTable& after, std::uint64_t mount) {
  const Mount* old = before.find(mount);
  const Mount* now = after.find(mount);
  return old != nullptr && now != nullptr && !is_same(old->info, now->info);
}

bool has_moved(const MountTable& before, const MountTable& after, const Mount& old,
               const Mount& now, PlaceChange change) {
  return now.info.parent != old.info.parent || is_replaced(before, after, old.info.parent) ||
         (now.place != old.place && change == PlaceChange::is_move);
}

/// What lies on mounts that moved: told gone and come, from below and from above like the rest.
void add_carried(const MountTable& before, const MountTable& after,
                 const std::unordered_set<std::uint64_t>& moved, std::vector<MountEvent>& leaving,
                 std::vector<MountEvent>& arriving) {
  if (moved.empty()) return;
  for (const std::uint64_t id : after.mounts()) {
    const Mount* old = before.find(id);
    const Mount& now = *after.find(id);
    if (old == nullptr || moved.contains(id) || !is_same(old->info, now.info)) continue;
    MountEvent come = mount_event(MountEventKind::new_mount, after, now);
    const bool carried = std::any_of(come.trail.begin(), come.trail.end(),
                                     [&](const auto& step) { return moved.contains(step.mount); });
    if (!carried) continue;
    MountEvent left = mount_event(MountEventKind::unmount, before, *old);
    pair_as_carried(left, come);
    leaving.push_back(std::move(left));
    arriving.push_back(std::move(come));
  }
}

/// How far below the root it happened, and when it was mounted among those as far down: the kernel
/// lists mounts in the order in which they came.
auto position(const MountTable& table, const MountEvent& event) {
  return std::pair(event.trail.size(), table.find(event.mount.mount)->order);
}

void sort_from_below(const MountTable& before, std::vector<MountEvent>& leaving) {
  std::stable_sort(leaving.begin(), leaving.end(), [&](const auto& a, const auto& b) {
    return position(before, a) > position(before, b);
  });
}

void sort_from_above(const MountTable& after, std::vector<MountEvent>& arriving) {
  std::stable_sort(arriving.begin(), arriving.end(), [&](const auto& a, const auto& b) {
    return position(after, a) < position(after, b);
  });
}

void append(std::vector<MountEvent>& to, std::vector<MountEvent> events) {
  to.insert(to.end(), std::make_move_iterator(events.begin()),
            std::make_move_iterator(events.end()));
}

}  // namespace

std::vector<MountEvent> mount_diff(const MountTable& before, const MountTable& after,
                                   PlaceChange change) {
  std::vector<MountEvent> leaving;
  std::vector<MountEvent> arriving;
  std::vector<MountEvent> changed;
  std::unordered_set<std::uint64_t> moved;
  for (const std::uint64_t id : before.mounts()) {
    const Mount& old = *before.find(id);
    const Mount* now = after.find(id);
    if (now == nullptr || !is_same(old.info, now->info)) {
      // Who did it is not known; below an automounter it is most likely the automounter.
      if (is_automounted(before, old)) {
        leaving.push_back(mount_event(MountEventKind::expiry, before, old));
      }
      leaving.push_back(mount_event(MountEventKind::unmount, before, old));
    } else if (has_moved(before, after, old, *now, change)) {
      moved.insert(id);
      leaving.push_back(mount_event(MountEventKind::move_from, before, old));
      arriving.push_back(mount_event(MountEventKind::move_to, after, *now));
    }
  }
  for (const std::uint64_t id : after.mounts()) {
    const Mount& now = *after.find(id);
    const Mount* old = before.find(id);
    if (old == nullptr || !is_same(old->info, now.info)) {
      arriving.push_back(mount_event(MountEventKind::new_mount, after, now));
    } else {
      append(changed, attribute_events(after, old->info, now.info));
    }
  }
  add_carried(before, after, moved, leaving, arriving);
  finish_attribute_events(after, changed);
  sort_from_below(before, leaving);
  sort_from_above(after, arriving);
  std::vector<MountEvent> events = std::move(leaving);
  append(events, std::move(arriving));
  append(events, std::move(changed));
  return events;
}

}  // namespace watchq
