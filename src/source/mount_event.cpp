// SPDX-License-Identifier: MIT
#include "source/mount_event.h"

#include <linux/mount.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string_view>

namespace watchq {
namespace {

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// The same kind of event for each mount at or below a directory of a mount, from above.
std::vector<MountEvent> events_below(MountEventKind kind, const MountTable& table,
                                     std::uint64_t mount, const std::string& directory, pid_t pid) {
  std::vector<MountEvent> events;
  std::deque<std::uint64_t> below = {mount};
  for (; !below.empty(); below.pop_front()) {
    for (const std::uint64_t child : table.children(below.front())) {
      const Mount& found = *table.find(child);
      if (below.front() == mount && !is_at_or_below(found.place, directory)) continue;
      events.push_back(mount_event(kind, table, found, pid));
      below.push_back(child);
    }
  }
  return events;
}

}  // namespace

MountEvent mount_event(MountEventKind kind, const MountTable& table, const Mount& mount,
                       pid_t pid) {
  MountEvent event;
  event.kind = kind;
  event.mount = mount.info;
  event.pid = pid;
  if (kind == MountEventKind::readonly || kind == MountEventKind::setattr) {
    event.triggered_on = mount.info.id;
    event.now_readonly = (mount.info.attributes & MOUNT_ATTR_RDONLY) != 0;
    event.trail = table.trail(mount.info.mount, "/");
    return event;
  }
  event.triggered_on = mount.info.parent_id;
  event.changed_mount = mount.info.id;
  event.trail = table.trail(mount.info.parent, mount.place);
  event.submount = kind == MountEventKind::new_mount && is_submount(table, mount);
  return event;
}

std::vector<MountEvent> snapshot_events(const MountTable& table, std::uint64_t mount,
                                        const std::string& directory) {
  return events_below(MountEventKind::new_mount, table, mount, directory, 0);
}

std::vector<MountEvent> carried_events(MountEventKind kind, const MountTable& table,
                                       std::uint64_t mount, pid_t pid) {
  return events_below(kind, table, mount, "/", pid);
}

void pair_as_carried(MountEvent& left, MountEvent& come) {
  left.elsewhere = come.trail;
  come.elsewhere = left.trail;
}

std::vector<MountEvent> attribute_events(const MountTable& table, const MountInfo& before,
                                         const MountInfo& now) {
  std::vector<MountEvent> events;
  const std::uint64_t changed = before.attributes ^ now.attributes;
  const Mount& mount = *table.find(now.mount);
  if ((changed & MOUNT_ATTR_RDONLY) != 0) {
    events.push_back(mount_event(MountEventKind::readonly, table, mount));
  }
  if ((changed & ~std::uint64_t{MOUNT_ATTR_RDONLY}) != 0 || before.propagation != now.propagation ||
      before.peer_group != now.peer_group) {
    events.push_back(mount_event(MountEventKind::setattr, table, mount));
  }
  return events;
}

void finish_attribute_events(const MountTable& table, std::vector<MountEvent>& events) {
  if (events.size() < 2) return;
  std::stable_sort(events.begin(), events.end(), [](const MountEvent& a, const MountEvent& b) {
    return a.trail.size() < b.trail.size();
  });
  std::set<std::pair<MountEventKind, std::uint64_t>> changed;
  for (const MountEvent& event : events) changed.emplace(event.kind, event.mount.mount);
  // Depth first from each event's mount; what is known of a subtree is not asked again.
  std::map<std::pair<MountEventKind, std::uint64_t>, bool> whole;
  const std::function<bool(MountEventKind, std::uint64_t)> is_whole = [&](MountEventKind kind,
                                                                          std::uint64_t mount) {
    const auto known = whole.find({kind, mount});
    if (known != whole.end()) return known->second;
    bool all = changed.contains({kind, mount});
    if (all) {
      const auto below = table.children(mount);
      all = std::all_of(below.begin(), below.end(),
                        [&](std::uint64_t child) { return is_whole(kind, child); });
    }
    return whole[{kind, mount}] = all;
  };
  for (MountEvent& event : events) {
    event.recursive =
        !table.children(event.mount.mount).empty() && is_whole(event.kind, event.mount.mount);
  }
}

// The kernel does not say which mounts filesystems make when somebody walks into them: these are
// where mount(2) is not used by hand.
bool is_submount(const MountTable& table, const Mount& mount) {
  const Mount* on = table.find(mount.info.parent);
  if (on == nullptr) return false;
  const std::string& parent = on->info.fs_type;
  const std::string& type = mount.info.fs_type;
  if (parent == "autofs") return true;
  if (parent == "debugfs") return type == "tracefs" && mount.place == "/tracing";
  return is_one_of(parent, {"nfs", "nfs4", "afs", "cifs", "smb3"}) && type == parent;
}

bool is_automounted(const MountTable& table, const Mount& mount) {
  const Mount* parent = table.find(mount.info.parent);
  return parent != nullptr && parent->info.fs_type == "autofs";
}

MountEvent unplaced_event(MountEventKind kind, const MountTable& table, const MountInfo& mount,
                          pid_t pid) {
  MountEvent event;
  event.kind = kind;
  event.mount = mount;
  event.changed_mount = mount.id;
  event.pid = pid;
  event.trail.push_back({});
  for (const std::uint64_t at : table.mounts()) {
    if (table.find(at)->info.mount_point == "/") event.trail.push_back({at, "/"});
  }
  return event;
}

}  // namespace watchq
