// SPDX-License-Identifier: MIT
#include "source/mount_event.h"

#include <linux/mount.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string_view>

namespace watchq {
namespace {

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

MountEvent make_event(MountEventKind kind, const MountTable& table, const Mount& mount, pid_t pid,
                      std::size_t most_steps) {
  MountEvent event;
  event.kind = kind;
  event.mount = mount.info;
  event.pid = pid;
  if (kind == MountEventKind::readonly || kind == MountEventKind::setattr) {
    event.triggered_on = mount.info.id;
    event.now_readonly = (mount.info.attributes & MOUNT_ATTR_RDONLY) != 0;
    event.trail = table.trail(mount.info.mount, "/", most_steps);
  } else {
    event.triggered_on = mount.info.parent_id;
    event.changed_mount = mount.info.id;
    event.trail = table.trail(mount.info.parent, mount.place, most_steps);
    event.submount = kind == MountEventKind::new_mount && is_submount(table, mount);
  }
  event.deep = !table.is_whole(event.trail);
  return event;
}

/// The same kind of event for each mount at or below a directory of a mount, from above.
std::vector<MountEvent> events_below(MountEventKind kind, const MountTable& table,
                                     std::uint64_t mount, const std::string& directory, pid_t pid,
                                     std::size_t most_steps) {
  std::vector<MountEvent> events;
  std::deque<std::uint64_t> below = {mount};
  for (; !below.empty(); below.pop_front()) {
    for (const std::uint64_t child : table.children(below.front())) {
      const Mount& found = *table.find(child);
      if (below.front() == mount && !is_at_or_below(found.place, directory)) continue;
      events.push_back(make_event(kind, table, found, pid, most_steps));
      below.push_back(child);
    }
  }
  return events;
}

/// Which changes were the same for all below. Mounts may be nested as deep as memory goes: no
/// recursion.
class WholeChanges {
 public:
  WholeChanges(const MountTable& table, const std::vector<MountEvent>& events) : table_(table) {
    for (const MountEvent& event : events) changed_.emplace(event.kind, event.mount.mount);
  }

  /// Whether a mount and all below it changed. What is known of a subtree is not asked again.
  bool has(MountEventKind kind, std::uint64_t mount) {
    std::vector<std::uint64_t> below = {mount};
    for (std::size_t at = 0; at < below.size(); ++at) {
      const std::pair change(kind, below[at]);
      if (whole_.contains(change) || !changed_.contains(change)) continue;
      const auto children = table_.children(below[at]);
      below.insert(below.end(), children.begin(), children.end());
    }
    std::reverse(below.begin(), below.end());
    for (const std::uint64_t known : below) learn(kind, known);
    return whole_.at({kind, mount});
  }

 private:
  /// Those below are known.
  void learn(MountEventKind kind, std::uint64_t mount) {
    if (whole_.contains({kind, mount})) return;
    const auto children = table_.children(mount);
    whole_[{kind, mount}] = changed_.contains({kind, mount}) &&
                            std::all_of(children.begin(), children.end(), [&](std::uint64_t child) {
                              return whole_.at({kind, child});
                            });
  }

  const MountTable& table_;
  std::set<std::pair<MountEventKind, std::uint64_t>> changed_;
  std::map<std::pair<MountEventKind, std::uint64_t>, bool> whole_;
};

}  // namespace

MountEvent mount_event(MountEventKind kind, const MountTable& table, const Mount& mount,
                       pid_t pid) {
  return make_event(kind, table, mount, pid, MountEvent::kMostSteps);
}

std::vector<MountEvent> snapshot_events(const MountTable& table, std::uint64_t mount,
                                        const std::string& directory) {
  return events_below(MountEventKind::new_mount, table, mount, directory, 0, 1);
}

std::vector<MountEvent> carried_events(MountEventKind kind, const MountTable& table,
                                       std::uint64_t mount, pid_t pid) {
  return events_below(kind, table, mount, "/", pid, MountEvent::kMostSteps);
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
  WholeChanges whole(table, events);
  for (MountEvent& event : events) {
    event.recursive =
        !table.children(event.mount.mount).empty() && whole.has(event.kind, event.mount.mount);
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
  for (const std::uint64_t at : table.at_root()) {
    event.deep = event.trail.size() == MountEvent::kMostSteps;
    if (event.deep) break;
    event.trail.push_back({at, "/"});
  }
  return event;
}

}  // namespace watchq
