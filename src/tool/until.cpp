// SPDX-License-Identifier: MIT
#include "tool/until.h"

#include <algorithm>

namespace watchq {
namespace {

/// Whether an event brings its mount into a state.
bool brings(const Record& record, PathState state) {
  if (record.type() != WATCH_TYPE_MOUNT_NOTIFY) return false;
  const std::uint32_t subtype = record.subtype();
  switch (state) {
    case PathState::mounted:
      return subtype == NOTIFY_MOUNT_NEW_MOUNT || subtype == NOTIFY_MOUNT_MOVE_TO;
    case PathState::unmounted:
      return subtype == NOTIFY_MOUNT_UNMOUNT || subtype == NOTIFY_MOUNT_EXPIRY ||
             subtype == NOTIFY_MOUNT_MOVE_FROM;
    case PathState::read_only:
    case PathState::writable:
      return subtype == NOTIFY_MOUNT_READONLY &&
             record.has(WATCH_INFO_FLAG_0) == (state == PathState::read_only);
  }
  __builtin_unreachable();
}

/// A line for a path that a look has found in the state: as a change, or as what was so already.
Event found(const std::string& place, const PathHolder& holder, PathState state, Origin origin) {
  mount_notification body{};
  body.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
  if (state == PathState::mounted) body.watch.subtype = NOTIFY_MOUNT_NEW_MOUNT;
  if (state == PathState::unmounted) body.watch.subtype = NOTIFY_MOUNT_UNMOUNT;
  if (is_of_superblocks(state)) body.watch.subtype = NOTIFY_MOUNT_READONLY;
  if (state == PathState::read_only) body.watch.info = WATCH_INFO_FLAG_0;
  Detail detail;
  if (holder.mount) {
    const bool is_of_itself = is_of_superblocks(state) || state == PathState::unmounted;
    body.triggered_on = is_of_itself ? holder.mount->id : holder.mount->parent_id;
    if (!is_of_itself) body.changed_mount = holder.mount->id;
    detail.attributes = static_cast<std::uint32_t>(holder.mount->attributes);
    detail.root = holder.mount->root;
    detail.fs_type = holder.mount->fs_type;
    detail.source = holder.mount->source;
  }
  Event event{Record::make(body, 0), {}, std::chrono::system_clock::now(), place, origin, {}};
  if (holder.mount && state != PathState::unmounted) event.detail = detail;
  return event;
}

}  // namespace

bool is_of_superblocks(PathState state) {
  return state == PathState::read_only || state == PathState::writable;
}

Until::Until(const MonitorOptions& options)
    : word_(options.until), state_(options.until_state), under_(options.under) {
  if (!state_) return;
  for (const std::string& path : options.mounts) targets_.push_back({path, canonical_path(path)});
}

bool Until::is_met_by(const Event& event) const {
  if (!word_ || state_ || !is_of(event.record, *word_)) return false;
  // That something is mounted is no event, but trouble that is there already is trouble.
  if (event.origin == Origin::snapshot && event.record.type() == WATCH_TYPE_MOUNT_NOTIFY) {
    return false;
  }
  return under_.is_empty() || under_.contain(event);
}

void Until::note(const Event& event, bool told) {
  // Of what is there already the kernel itself is asked.
  if (!state_ || event.origin == Origin::snapshot || !brings(event.record, *state_)) return;
  for (Target& target : targets_) {
    if (event.path != target.place) continue;
    // With mounts on top of each other one that goes leaves the next.
    target.came = *state_ != PathState::unmounted;
    target.told = told;
  }
}

std::optional<std::vector<Event>> Until::reached() {
  if (!state_) return std::nullopt;
  std::vector<Event> untold;
  bool all = true;
  for (Target& target : targets_) {
    const PathHolder holder = holder_of(target.path);
    const bool is_there = is_in_state(holder, *state_);
    if (!is_there) target.lacked = true;
    all = all && (is_there || target.came);
    if (target.told) continue;
    // A look may be faster than the record of the change that it has found.
    const Origin origin = target.lacked ? Origin::change : Origin::snapshot;
    untold.push_back(found(target.place, holder, *state_, origin));
  }
  if (all) return untold;
  for (Target& target : targets_) {
    target.came = false;
    // What was told of those that are there already stays told.
    target.told = target.told && is_in_state(holder_of(target.path), *state_);
  }
  return std::nullopt;
}

}  // namespace watchq
