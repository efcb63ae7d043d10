// SPDX-License-Identifier: MIT
#include "source/mount_fanotify.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "kernel/mount_namespace_fd.h"
#include "source/mount_event.h"

namespace watchq {
namespace {

/// Renames of directories above can move both mount points between two questions; so often do we
/// ask again.
constexpr int kLocateAttempts = 4;

}  // namespace

MountFanotify::MountFanotify(const MountContext& context, int namespace_fd)
    : MountNamespace(context, namespace_fd),
      namespace_id_(mount_namespace_id(namespace_fd)),
      changes_(context.io, open_mount_fanotify(namespace_fd).release()) {
  // Changes are queued from here on: what the list already shows is recognised by its ID.
  load(list());
}

void MountFanotify::start() {
  wait_for_changes();
  MountNamespace::start();
}

void MountFanotify::wait_for_changes() {
  changes_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        const auto self = std::static_pointer_cast<MountFanotify>(weak.lock());
                        if (error || !self) return;
                        self->take_changes();
                        self->wait_for_changes();
                      });
}

void MountFanotify::take_changes() {
  for (;;) {
    const auto changes = read_mount_changes(changes_.native_handle());
    if (changes.empty()) return;
    context_.counters.changes += changes.size();
    for (const MountChange& change : changes) apply(change);
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
    table_.put(located->info, std::move(located->place));
    tell(MountEventKind::new_mount, *table_.find(change.mount), change.pid);
  } else {
    unplaced_.insert(change.mount);
    tell_unplaced(MountEventKind::new_mount, change.mount, 0, change.pid);
  }
}

void MountFanotify::detached(const MountChange& change) {
  if (const Mount* mount = table_.find(change.mount)) {
    if (expired(*mount, change.pid)) tell(MountEventKind::expiry, *mount, change.pid);
    tell(MountEventKind::unmount, *mount, change.pid);
    table_.remove(change.mount);
  } else if (unplaced_.erase(change.mount) != 0) {
    tell_unplaced(MountEventKind::unmount, change.mount, 0, change.pid);
  }
}

void MountFanotify::moved(const MountChange& change) {
  const Mount* before = table_.find(change.mount);
  if (before == nullptr) {
    // Told as unplaced, or attached and moved before the table was read.
    if (!unplaced_.contains(change.mount)) attached(change);
    return;
  }
  auto located = locate(change.mount);
  tell(MountEventKind::move_from, *before, change.pid);
  if (located) {
    table_.put(located->info, std::move(located->place));
    tell(MountEventKind::move_to, *table_.find(change.mount), change.pid);
  } else {
    // Gone again: its unmount is told from the place that we know.
    tell_unplaced(MountEventKind::move_to, change.mount, before->info.id, change.pid);
  }
}

void MountFanotify::overflowed() {
  // Whatever still waits is older than what is listed now, and recognised by its ID.
  ++context_.counters.overflows;
  reload(list());
  // Mounts that came and went in the gap nobody knows.
  unplaced_.clear();
  context_.sink.on_loss({id()});
}

bool MountFanotify::expired(const Mount& mount, pid_t by) const {
  if (!is_automounted(table_, mount)) return false;
  // An automounter and what it runs are one process group, which its mount names. A helper that has
  // ended since cannot be asked: below an automounter it was most likely the automounter's.
  const pid_t group = ::getpgid(by);
  const std::string options = query_mount_options(mount.info.parent, namespace_id_);
  const auto named = options.find("pgrp=");
  return group < 0 || named == std::string::npos ||
         std::strtol(options.c_str() + named + 5, nullptr, 10) == group;
}

void MountFanotify::look() {
  std::vector<MountEvent> events;
  for (const std::uint64_t mount : table_.mounts()) {
    const auto now = query_mount(mount, namespace_id_, MountDetail::numbers);
    if (!now) continue;  // its change waits to be taken
    const MountInfo before = table_.find(mount)->info;
    table_.set_attributes(*now);
    for (MountEvent& event : attribute_events(table_, before, *now)) {
      events.push_back(std::move(event));
    }
  }
  finish_attribute_events(table_, events);
  for (const MountEvent& event : events) context_.sink.on_event(event);
}

std::optional<MountInfo> MountFanotify::describe(std::uint64_t mount) const {
  return query_mount(mount, namespace_id_, MountDetail::all);
}

std::vector<MountInfo> MountFanotify::list() const {
  std::vector<MountInfo> infos;
  for (const std::uint64_t mount : list_mounts(namespace_id_)) {
    if (auto info = describe(mount)) infos.push_back(*std::move(info));
  }
  return infos;
}

std::optional<MountFanotify::Located> MountFanotify::locate(std::uint64_t mount) const {
  // The paths of mount and parent mean something only beside each other: the mount's is asked for
  // before and after the parent's.
  auto info = describe(mount);
  for (int attempt = 0; info && attempt < kLocateAttempts; ++attempt) {
    const auto parent = describe(info->parent);
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

void MountFanotify::tell(MountEventKind kind, const Mount& mount, pid_t pid) {
  context_.sink.on_event(mount_event(kind, table_, mount, pid));
}

void MountFanotify::tell_unplaced(MountEventKind kind, std::uint64_t mount, std::uint32_t id,
                                  pid_t pid) {
  MountInfo known;
  known.mount = mount;
  known.id = id;
  context_.sink.on_event(unplaced_event(kind, table_, known, pid));
}

}  // namespace watchq
