// SPDX-License-Identifier: MIT
#include "tool/known_state.h"

#include <linux/mount.h>

#include <algorithm>
#include <utility>

namespace watchq {
namespace {

Event mount_event(const Event& like, std::uint32_t subtype, bool flag, std::uint32_t triggered_on,
                  std::uint32_t changed) {
  mount_notification body{};
  body.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
  body.watch.subtype = static_cast<std::uint8_t>(subtype);
  body.watch.info = flag ? WATCH_INFO_FLAG_0 : 0;
  body.triggered_on = triggered_on;
  body.changed_mount = changed;
  return {Record::make(body, like.record.tag()), {}, like.time, {}, Origin::late, {}};
}

Event with_detail(Event event, const Detail& detail) {
  event.detail = detail;
  event.path = detail.path;
  return event;
}

/// What differs between a mount as it was known and as it is.
std::vector<Event> changes_of(const Event& now, const mount_notification& body,
                              std::uint32_t old_parent, const Detail& old) {
  std::vector<Event> changes;
  const std::uint32_t id = body.changed_mount;
  if (old_parent != body.triggered_on || old.path != now.detail->path) {
    changes.push_back(
        with_detail(mount_event(now, NOTIFY_MOUNT_MOVE_FROM, false, old_parent, id), old));
    changes.push_back(with_detail(
        mount_event(now, NOTIFY_MOUNT_MOVE_TO, false, body.triggered_on, id), *now.detail));
  }
  const std::uint32_t changed = old.attributes ^ now.detail->attributes;
  if ((changed & MOUNT_ATTR_RDONLY) != 0) {
    const bool read_only = (now.detail->attributes & MOUNT_ATTR_RDONLY) != 0;
    changes.push_back(
        with_detail(mount_event(now, NOTIFY_MOUNT_READONLY, read_only, id, 0), *now.detail));
  }
  if ((changed & ~std::uint32_t{MOUNT_ATTR_RDONLY}) != 0) {
    changes.push_back(
        with_detail(mount_event(now, NOTIFY_MOUNT_SETATTR, false, id, 0), *now.detail));
  }
  return changes;
}

/// Of what has two states, as opposed to errors.
bool has_two_states(const Record& record) {
  return record.type() == WATCHQ_TYPE_SPACE ||
         record.is(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_READONLY) ||
         record.is(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_NETWORK);
}

}  // namespace

void KnownState::begin_snapshot(unsigned int tag) {
  Watch& watch = watches_[tag];
  watch.in_snapshot = true;
  for (auto& [id, mount] : watch.mounts) mount.seen = false;
  for (auto& [key, trouble] : watch.troubles) trouble.seen = false;
}

void KnownState::abandon_snapshot(unsigned int tag) {
  watches_[tag].in_snapshot = false;
  watches_[tag].is_first = false;
}

void KnownState::forget(unsigned int tag) { watches_.erase(tag); }

std::vector<Event> KnownState::take(Event event) {
  Watch& watch = watches_[event.record.tag()];
  if (const auto body = event.record.as<mount_notification>(WATCH_TYPE_MOUNT_NOTIFY)) {
    return take_mount(watch, std::move(event), *body);
  }
  if (event.record.type() == WATCH_TYPE_SB_NOTIFY || event.record.type() == WATCHQ_TYPE_SPACE) {
    return take_trouble(watch, std::move(event));
  }
  return {std::move(event)};
}

std::vector<Event> KnownState::take_mount(Watch& watch, Event event,
                                          const mount_notification& body) {
  const std::uint32_t id = body.changed_mount;
  switch (event.record.subtype()) {
    case NOTIFY_MOUNT_NEW_MOUNT:
      if (!event.detail) break;
      if (watch.in_snapshot) return take_present(watch, std::move(event), body);
      watch.mounts.insert_or_assign(id, KnownMount{body.triggered_on, *event.detail, true});
      break;
    case NOTIFY_MOUNT_UNMOUNT:
    case NOTIFY_MOUNT_EXPIRY:
      watch.mounts.erase(id);
      break;
    case NOTIFY_MOUNT_MOVE_TO:
      if (event.detail) move(watch, id, body.triggered_on, *event.detail);
      break;
    case NOTIFY_MOUNT_READONLY:
    case NOTIFY_MOUNT_SETATTR: {
      const auto known = watch.mounts.find(body.triggered_on);
      if (known != watch.mounts.end() && event.detail) {
        known->second.detail.attributes = event.detail->attributes;
      }
      break;
    }
    default:
      break;
  }
  return {std::move(event)};
}

std::vector<Event> KnownState::take_present(Watch& watch, Event event,
                                            const mount_notification& body) {
  const auto found = watch.mounts.find(body.changed_mount);
  std::vector<Event> told;
  const bool known = found != watch.mounts.end();
  if (known && found->second.detail.mount == event.detail->mount) {
    told = changes_of(event, body, found->second.parent, found->second.detail);
  } else {
    // The ID has been used again: the mount that had it is no more.
    if (known) {
      told.push_back(with_detail(
          mount_event(event, NOTIFY_MOUNT_UNMOUNT, false, found->second.parent, body.changed_mount),
          found->second.detail));
    }
    told.push_back(event);
    told.back().origin = watch.is_first ? Origin::snapshot : Origin::late;
  }
  Detail detail = *event.detail;
  detail.pid = 0;
  watch.mounts.insert_or_assign(body.changed_mount,
                                KnownMount{body.triggered_on, std::move(detail), true});
  return told;
}

void KnownState::move(Watch& watch, std::uint32_t id, std::uint32_t parent, const Detail& detail) {
  const auto found = watch.mounts.find(id);
  if (found == watch.mounts.end()) {
    watch.mounts.insert_or_assign(id, KnownMount{parent, detail, true});
    return;
  }
  const std::string from = found->second.detail.path.value_or("");
  found->second.parent = parent;
  found->second.detail.path = detail.path;
  if (from.empty() || !detail.path) return;
  // What lies on it moves along, and no record says so.
  const auto lies_on_it = [&](const KnownMount& mount) {
    for (const KnownMount* at = &mount;;) {
      if (at->parent == id) return true;
      const auto above = watch.mounts.find(at->parent);
      if (above == watch.mounts.end() || &above->second == at) return false;
      at = &above->second;
    }
  };
  for (auto& [other, mount] : watch.mounts) {
    std::optional<std::string>& path = mount.detail.path;
    if (other == id || !path || !is_at_or_below(*path, from) || !lies_on_it(mount)) continue;
    path = *detail.path + path->substr(from.size());
  }
}

std::vector<Event> KnownState::take_trouble(Watch& watch, Event event) {
  const Record& record = event.record;
  const auto body = record.as<superblock_notification>(record.type());
  if (!body) return {std::move(event)};
  const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
  const bool is_error = record.is(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR);
  std::string which = '#' + std::to_string(body->sb_id);
  // IDs of superblocks are the daemon's, and another one has others.
  if (event.detail && event.detail->device) which = *event.detail->device;
  const TroubleKey key{which, record.type(), record.subtype(),
                       is_error && error ? error->error_number : 0};
  if (!watch.in_snapshot) {
    if (!has_two_states(record)) return {std::move(event)};
    if (!record.has(WATCH_INFO_FLAG_0)) {
      watch.troubles.erase(key);
    } else {
      watch.troubles.insert_or_assign(key, Trouble{event, true});
    }
    return {std::move(event)};
  }
  const bool known = watch.troubles.contains(key);
  event.origin = watch.is_first ? Origin::snapshot : Origin::late;
  watch.troubles.insert_or_assign(key, Trouble{event, true});
  if (known) return {};
  return {std::move(event)};
}

std::vector<Event> KnownState::complete(unsigned int tag,
                                        std::chrono::system_clock::time_point time) {
  Watch& watch = watches_[tag];
  std::vector<Event> gone = gone_mounts(watch, tag);
  for (Event& event : ended_troubles(watch, tag)) gone.push_back(std::move(event));
  for (Event& event : gone) event.time = time;
  watch.in_snapshot = false;
  watch.is_first = false;
  return gone;
}

std::vector<Event> KnownState::gone_mounts(Watch& watch, unsigned int tag) {
  std::vector<Event> gone;
  const Event like{Record::make(mount_notification{}, tag), {}, {}, {}, Origin::late, {}};
  for (auto mount = watch.mounts.begin(); mount != watch.mounts.end();) {
    if (mount->second.seen) {
      ++mount;
      continue;
    }
    gone.push_back(with_detail(
        mount_event(like, NOTIFY_MOUNT_UNMOUNT, false, mount->second.parent, mount->first),
        mount->second.detail));
    mount = watch.mounts.erase(mount);
  }
  // What lies on others goes before them.
  std::sort(gone.begin(), gone.end(),
            [](const Event& one, const Event& other) { return one.path > other.path; });
  return gone;
}

std::vector<Event> KnownState::ended_troubles(Watch& watch, unsigned int tag) {
  std::vector<Event> ended;
  for (auto trouble = watch.troubles.begin(); trouble != watch.troubles.end();) {
    if (trouble->second.seen) {
      ++trouble;
      continue;
    }
    Event event = trouble->second.event;
    const bool known_by_device = event.detail && event.detail->device;
    const auto body = event.record.as<superblock_notification>(WATCH_TYPE_SB_NOTIFY);
    if (body && known_by_device && has_two_states(event.record)) {
      superblock_notification now = *body;
      now.watch.info = 0;  // the flag is not set: it is well again
      event.record = Record::make(now, tag);
      event.origin = Origin::late;
      ended.push_back(std::move(event));
    }
    trouble = watch.troubles.erase(trouble);
  }
  return ended;
}

}  // namespace watchq
