// SPDX-License-Identifier: MIT
#include "source/mount_fanotify.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "kernel/mount_namespace_fd.h"
#include "source/mount_event.h"
#include "source/mount_nesting.h"

namespace watchq {
namespace {

/// Renames of directories above can move both mount points between two questions; so often do we
/// ask again.
constexpr int kLocateAttempts = 4;

/// A read that gives fewer has left nothing.
constexpr std::size_t kFewChanges = 512;

/// Whether two answers say the same of what a look compares.
bool same_numbers(const MountInfo& a, const MountInfo& b) {
  return a.parent == b.parent && a.attributes == b.attributes && a.propagation == b.propagation &&
         a.peer_group == b.peer_group && a.master == b.master;
}

/// Nothing when the process is not known or has ended.
std::optional<pid_t> process_group(pid_t pid) {
  const pid_t group = pid > 0 ? ::getpgid(pid) : -1;
  return group < 0 ? std::nullopt : std::optional(group);
}

}  // namespace

MountFanotify::MountFanotify(const MountContext& context, int namespace_fd)
    : MountNamespace(context, namespace_fd),
      namespace_id_(mount_namespace_id(namespace_fd)),
      changes_(open_mount_fanotify(namespace_fd)) {
  wake_for(changes_.get());
  // Changes are queued from here on: what the list already shows is recognised by its ID.
  load(list());
}

bool MountFanotify::take_changes() {
  for (bool any = false;; any = true) {
    const auto changes = read_mount_changes(changes_.get());
    if (changes.empty()) return any;
    context_.counters.changes += changes.size();
    context_.sink.before_events();  // renames that came before these mounts are known by now
    for (const MountChange& change : changes) apply(change);
    tell_depth();
    if (changes.size() < kFewChanges) return true;  // there were no more
  }
}

void MountFanotify::apply(const MountChange& change) {
  if (change.overflow) {
    overflowed();
  } else if (change.attached && change.detached) {
    moved(change);
  } else if (change.attached) {
    attached(change);
  } else if (change.detached) {
    detached(change);
  }
}

void MountFanotify::attached(const MountChange& change) {
  if (table_.find(change.mount) != nullptr) return;  // was there when the table was read
  if (auto located = locate(change.mount)) {
    if (must_wait(*located, change)) return;
    table_.put(std::move(located->info), std::move(located->place));
    tell(MountEventKind::new_mount, change);
  } else if (!change.detached) {
    unplaced_.insert(change.mount);
    tell_unplaced(MountEventKind::new_mount, change);
  }
  wake(change.mount);
}

void MountFanotify::detached(const MountChange& change) {
  if (table_.find(change.mount) != nullptr) {
    // What leaves one of them may come onto this one.
    for (auto on_it = table_.children(change.mount); !on_it.empty();
         on_it = table_.children(change.mount)) {
      for (const std::uint64_t child : on_it) leave(child, change);
    }
    if (expired(*table_.find(change.mount), change.pid)) tell(MountEventKind::expiry, change);
    tell(MountEventKind::unmount, change);
    table_.remove(change.mount);
  } else if (unplaced_.erase(change.mount) != 0) {
    tell_unplaced(MountEventKind::unmount, change);
  } else if (std::erase_if(waiting_, [&](const auto& entry) {
               return entry.second.mount == change.mount;
             }) != 0) {
    tell_unplaced(MountEventKind::new_mount, change);
    tell_unplaced(MountEventKind::unmount, change);
  }
  wake(change.mount);
}

void MountFanotify::moved(const MountChange& change) {
  if (table_.find(change.mount) == nullptr) {
    // Told as unplaced, or attached and moved before we could place it.
    if (!unplaced_.contains(change.mount)) attached(change);
    return;
  }
  const auto located = locate(change.mount);
  // Where it is gone again, its unmount is told from the place that we know.
  if (located && !must_wait(*located, change)) move(*located, change);
}

void MountFanotify::move(const Located& located, const MountChange& change) {
  const MountInfo before = table_.find(change.mount)->info;
  const MountEvent from =
      mount_event(MountEventKind::move_from, table_, *table_.find(change.mount), change.pid);
  auto left = carried_events(MountEventKind::unmount, table_, change.mount, change.pid);
  table_.put(located.info, located.place);
  refresh_mount_points(left);
  auto come = carried_events(MountEventKind::new_mount, table_, change.mount, change.pid);
  for (std::size_t at = 0; at < left.size(); ++at) pair_as_carried(left[at], come[at]);
  std::reverse(left.begin(), left.end());  // what lies on others goes before them
  for (const MountEvent& event : left) emit(event);
  emit(from);
  tell(MountEventKind::move_to, change);
  for (const MountEvent& event : come) emit(event);
  for (const MountEvent& event : attribute_events(table_, before, located.info)) {
    emit(event);
  }
  wake(change.mount);
}

void MountFanotify::refresh_mount_points(const std::vector<MountEvent>& events) {
  for (const MountEvent& event : events) {
    auto now = describe(event.mount.mount);
    if (now) table_.set_mount_point(now->mount, std::move(now->mount_point));
  }
}

void MountFanotify::follow(std::uint64_t mount) {
  const auto now = query_mount(mount, namespace_id_, MountDetail::numbers);
  const Mount* known = table_.find(mount);
  if (!now || known == nullptr || known->info.parent == now->parent) return;
  MountChange change;
  change.mount = mount;
  const auto located = locate(mount);
  if (located && obstacles(*located).empty()) move(*located, change);
}

void MountFanotify::leave(std::uint64_t mount, const MountChange& parent_change) {
  if (table_.find(mount) == nullptr) return;
  MountChange change;
  change.mount = mount;
  change.pid = parent_change.pid;
  if (!query_mount(mount, namespace_id_, MountDetail::numbers)) {
    detached(change);
    return;
  }
  follow(mount);
  const Mount* known = table_.find(mount);
  if (known == nullptr || known->info.parent != parent_change.mount) return;
  // Where it went from there is still to be told.
  const Mount& parent = *table_.find(parent_change.mount);
  Located located{known->info, parent.place};
  located.info.parent = parent.info.parent;
  located.info.parent_id = parent.info.parent_id;
  move(located, change);
}

std::vector<std::uint64_t> MountFanotify::obstacles(const Located& located) const {
  const std::uint64_t parent = located.info.parent;
  const auto way = table_.way_up(parent);
  if (way.empty()) {
    // The root of all is on a mount that no list shows.
    const auto info = query_mount(parent, namespace_id_, MountDetail::numbers);
    if (info && info->parent == parent) return {};
    return {parent};
  }
  const auto itself = std::find(way.begin(), way.end(), located.info.mount);
  if (itself == way.end()) return {};
  // One of those below has been moved out of the mount, or it could not be there.
  return {way.begin(), itself};
}

bool MountFanotify::must_wait(const Located& located, const MountChange& change) {
  const auto awaited = obstacles(located);
  for (const std::uint64_t mount : awaited) waiting_.emplace(mount, change);
  return !awaited.empty();
}

void MountFanotify::wake(std::uint64_t mount) {
  const auto [first, last] = waiting_.equal_range(mount);
  const std::vector<std::pair<std::uint64_t, MountChange>> woken(first, last);
  waiting_.erase(first, last);
  for (const auto& [awaited, change] : woken) moved(change);
}

void MountFanotify::overflowed() {
  // Whatever still waits is older than what is listed now, and recognised by its ID.
  ++context_.counters.overflows;
  reload(list(), PlaceChange::is_move);
  // Mounts that came and went in the gap nobody knows.
  unplaced_.clear();
  waiting_.clear();
  context_.sink.on_loss({id()});
}

bool MountFanotify::by_automounter(const Mount& mount, pid_t by) const {
  // An automounter and what it runs are one process group, which its mount names. A helper that has
  // ended since cannot be asked: it was most likely the automounter's.
  const auto group = process_group(by);
  const std::string options = query_mount_options(mount.info.parent, namespace_id_);
  const auto named = options.find("pgrp=");
  return !group || named == std::string::npos ||
         std::strtol(options.c_str() + named + 5, nullptr, 10) == *group;
}

bool MountFanotify::expired(const Mount& mount, pid_t by) const {
  if (is_automounted(table_, mount)) return by_automounter(mount, by);
  // Mounts that the kernel made, a thread of the kernel takes away: it is in no group.
  return is_submount(table_, mount) && process_group(by) == 0;
}

void MountFanotify::look() {
  auto infos = changed_mounts();
  const auto is_elsewhere = [this](const MountInfo& now) {
    return table_.find(now.mount)->info.parent != now.parent;
  };
  if (std::any_of(infos.begin(), infos.end(), is_elsewhere)) {
    take_changes();  // among which may be their moves
    for (const MountInfo& now : infos) follow(now.mount);
    infos = changed_mounts();
  }
  std::vector<MountEvent> events;
  for (const MountInfo& now : infos) {
    const MountInfo before = table_.find(now.mount)->info;
    table_.set_attributes(now);
    for (MountEvent& event : attribute_events(table_, before, now)) {
      events.push_back(std::move(event));
    }
  }
  finish_attribute_events(table_, events);
  for (const MountEvent& event : events) emit(event);
}

std::vector<MountInfo> MountFanotify::changed_mounts() const {
  std::vector<MountInfo> infos;
  for (const std::uint64_t mount : table_.mounts()) {
    // Where there is none, its change waits to be taken.
    auto now = query_mount(mount, namespace_id_, MountDetail::numbers);
    if (now && !same_numbers(*now, table_.find(mount)->info)) infos.push_back(*std::move(now));
  }
  return infos;
}

std::optional<MountInfo> MountFanotify::describe(std::uint64_t mount) const {
  return query_mount(mount, namespace_id_, MountDetail::all);
}

std::optional<SuperblockState> MountFanotify::superblock_state(std::uint64_t mount) const {
  return query_superblock(mount, namespace_id_);
}

std::vector<MountInfo> MountFanotify::list() const {
  std::vector<MountInfo> infos;
  for (const std::uint64_t mount : list_mounts(namespace_id_)) {
    auto info = query_mount(mount, namespace_id_, MountDetail::numbers);
    if (info) infos.push_back(*std::move(info));
  }
  // Somebody may nest mounts without end: to ask for the path of each would take the kernel ever
  // longer. Those deeper than any way that is told have the path of what they are mounted on.
  for (const NestedMount& nested : from_above(infos)) {
    const bool deep = nested.depth > MountEvent::kMostSteps;
    MountInfo& known = infos[nested.at];
    auto info = query_mount(known.mount, namespace_id_,
                            deep ? MountDetail::all_but_mount_point : MountDetail::all);
    if (!info) continue;  // gone, of which its change will tell
    if (deep) info->mount_point = infos[nested.parent].mount_point;
    known = *std::move(info);
  }
  std::erase_if(infos, [](const MountInfo& info) { return info.device.empty(); });
  return infos;
}

std::optional<MountFanotify::Located> MountFanotify::locate(std::uint64_t mount) const {
  // The paths of mount and parent mean something only beside each other: the mount's is asked for
  // before and after the parent's.
  auto info = describe(mount);
  for (int attempt = 0; info && attempt < kLocateAttempts; ++attempt) {
    const auto parent = query_mount(info->parent, namespace_id_, MountDetail::mount_point);
    const Mount* known = table_.find(info->parent);
    if (parent && known != nullptr && known->info.mount_point == parent->mount_point) {
      // It is where it has been since before the mount was asked for.
      if (auto place = place_in_parent(info->mount_point, parent->mount_point)) {
        return Located{*std::move(info), *std::move(place)};
      }
    }
    auto again = describe(mount);
    if (parent && again && again->parent == info->parent &&
        again->mount_point == info->mount_point) {
      if (auto place = place_in_parent(info->mount_point, parent->mount_point)) {
        return Located{*std::move(again), *std::move(place)};
      }
    }
    info = std::move(again);
  }
  if (!info) return std::nullopt;
  return Located{*std::move(info), "/"};
}

void MountFanotify::tell(MountEventKind kind, const MountChange& change) {
  const Mount& mount = *table_.find(change.mount);
  MountEvent event = mount_event(kind, table_, mount, change.pid);
  if (event.submount && is_automounted(table_, mount)) {
    event.submount = by_automounter(mount, change.pid);
  }
  emit(event);
}

void MountFanotify::tell_unplaced(MountEventKind kind, const MountChange& change) {
  MountInfo known;
  known.mount = change.mount;
  emit(unplaced_event(kind, table_, known, change.pid));
}

}  // namespace watchq
