// SPDX-License-Identifier: MIT
#include "source/mount_namespace.h"

#include <utility>

#include "kernel/mount_query.h"

namespace watchq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kReadonly = 1;  // MOUNT_ATTR_RDONLY, linux/mount.h

/// Renames of directories above can move both mount points between two questions; so often do we
/// ask again.
constexpr int kLocateAttempts = 4;

}  // namespace

MountNamespace::MountNamespace(boost::asio::io_context& io, int namespace_fd,
                               const MountSourceOptions& options, EventSink& sink,
                               MountCounters& counters)
    : id_(mount_namespace_id(namespace_fd)),
      options_(options),
      sink_(sink),
      counters_(counters),
      changes_(io, open_mount_fanotify(namespace_fd).release()),
      mountinfo_wake_(io),
      look_timer_(io),
      look_budget_(options.look_share, options.look_burst) {
  MountinfoFiles files = open_mountinfo(namespace_fd);
  mountinfo_ = std::move(files.truth);
  mountinfo_wake_.assign(files.wake.release());
  // Changes are queued from here on: what the list below already shows is recognised by its ID.
  load();
}

void MountNamespace::start() {
  wait_for_changes();
  wait_for_attributes();
  schedule_look(options_.look_interval);
}

void MountNamespace::sync() {
  take_changes();
  if (mountinfo_changed(mountinfo_.get())) look_wanted_ = true;
  if (look_wanted_) look_if_affordable();
}

std::optional<std::string> MountNamespace::place_in_mount(std::uint64_t mount,
                                                          const std::string& path) const {
  const auto info = query_mount(mount, id_, MountDetail::all);
  if (!info) return std::nullopt;
  return place_in_parent(path, info->mount_point);
}

void MountNamespace::load() {
  std::vector<MountInfo> infos;
  for (const std::uint64_t mount : list_mounts(id_)) {
    if (auto info = query_mount(mount, id_, MountDetail::all)) infos.push_back(*std::move(info));
  }
  std::unordered_map<std::uint64_t, const MountInfo*> by_mount;
  for (const MountInfo& info : infos) by_mount.emplace(info.mount, &info);
  for (const MountInfo& info : infos) {
    const auto parent = by_mount.find(info.parent);
    auto place = parent == by_mount.end()
                     ? "/"
                     : place_in_parent(info.mount_point, parent->second->mount_point);
    if (place) {
      table_.put(info, *std::move(place));
    } else if (auto located = locate(info.mount)) {
      table_.put(located->info, std::move(located->place));
    }
  }
}

void MountNamespace::wait_for_changes() {
  changes_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        const auto self = weak.lock();
                        if (error || !self) return;
                        self->take_changes();
                        self->wait_for_changes();
                      });
}

void MountNamespace::wait_for_attributes() {
  mountinfo_wake_.async_wait(boost::asio::posix::descriptor_base::wait_error,
                             [weak = weak_from_this()](const boost::system::error_code& error) {
                               const auto self = weak.lock();
                               if (error || !self) return;
                               // Waiting polls the file, which may swallow an event: so wait first,
                               // then ask the file that nobody else polls.
                               self->wait_for_attributes();
                               self->sync();
                             });
}

void MountNamespace::schedule_look(Clock::duration delay) {
  look_timer_.expires_after(delay);
  look_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->look_wanted_ = true;
    self->sync();
  });
}

void MountNamespace::take_changes() {
  for (;;) {
    const auto changes = read_mount_changes(changes_.native_handle());
    if (changes.empty()) return;
    counters_.changes += changes.size();
    for (const MountChange& change : changes) apply(change);
  }
}

void MountNamespace::apply(const MountChange& change) {
  if (change.overflow) {
    ++counters_.overflows;
    reread();
  } else if (change.attached && change.detached) {
    moved(change);
  } else if (change.attached) {
    attached(change);
  } else if (change.detached) {
    detached(change);
  }
}

void MountNamespace::attached(const MountChange& change) {
  if (table_.find(change.mount) != nullptr) return;  // was there when the table was read
  if (auto located = locate(change.mount)) {
    table_.put(located->info, std::move(located->place));
    tell(MountEventKind::new_mount, *table_.find(change.mount), change.pid);
  } else {
    unplaced_.insert(change.mount);
    tell_unplaced(MountEventKind::new_mount, change.mount, 0, change.pid);
  }
}

void MountNamespace::detached(const MountChange& change) {
  if (const Mount* mount = table_.find(change.mount)) {
    tell(MountEventKind::unmount, *mount, change.pid);
    table_.remove(change.mount);
  } else if (unplaced_.erase(change.mount) != 0) {
    tell_unplaced(MountEventKind::unmount, change.mount, 0, change.pid);
  }
}

void MountNamespace::moved(const MountChange& change) {
  const Mount* before = table_.find(change.mount);
  auto located = locate(change.mount);
  if (before == nullptr) {
    // Already told as unplaced, or attached and moved before the table was read.
    if (located && unplaced_.erase(change.mount) == 0) attached(change);
    return;
  }
  tell(MountEventKind::move_from, *before, change.pid);
  if (located) {
    table_.put(located->info, std::move(located->place));
    tell(MountEventKind::move_to, *table_.find(change.mount), change.pid);
  } else {
    // Gone again: its unmount is told from the place that we know.
    tell_unplaced(MountEventKind::move_to, change.mount, before->info.id, change.pid);
  }
}

void MountNamespace::reread() {
  // Whatever still waits is older than what is read now, and recognised by its ID.
  MountTable before = std::exchange(table_, MountTable());
  load();
  for (const std::uint64_t mount : before.mounts()) {
    const Mount& old = *before.find(mount);
    const Mount* now = table_.find(mount);
    if (now != nullptr && now->info.parent == old.info.parent && now->place == old.place) continue;
    std::swap(table_, before);
    tell(now == nullptr ? MountEventKind::unmount : MountEventKind::move_from, old, 0);
    std::swap(table_, before);
    if (now != nullptr) tell(MountEventKind::move_to, *now, 0);
  }
  for (const std::uint64_t mount : table_.mounts()) {
    const Mount* now = table_.find(mount);
    if (const Mount* old = before.find(mount)) {
      compare(old->info, now->info);
    } else {
      tell(MountEventKind::new_mount, *now, 0);
    }
  }
  // Mounts that came and went in the gap, and attributes that changed back, nobody knows.
  unplaced_.clear();
  sink_.on_loss({id_});
}

bool MountNamespace::look_if_affordable() {
  const auto wait = look_budget_.wait(Clock::now());
  if (wait > Clock::duration::zero()) {
    schedule_look(wait);
    return false;
  }
  look();
  return true;
}

void MountNamespace::look() {
  const auto start = Clock::now();
  ++counters_.looks;
  look_wanted_ = false;
  for (const std::uint64_t mount : table_.mounts()) {
    const auto now = query_mount(mount, id_, MountDetail::numbers);
    if (!now) continue;  // its change waits to be taken
    const MountInfo before = table_.find(mount)->info;
    table_.set_attributes(*now);
    compare(before, *now);
  }
  const auto end = Clock::now();
  look_budget_.spend(end - start, end);
  schedule_look(options_.look_interval);
}

void MountNamespace::compare(const MountInfo& before, const MountInfo& now) {
  const std::uint64_t changed = before.attributes ^ now.attributes;
  const Mount& mount = *table_.find(now.mount);
  if ((changed & kReadonly) != 0) tell(MountEventKind::readonly, mount, 0);
  if ((changed & ~kReadonly) != 0 || before.propagation != now.propagation ||
      before.peer_group != now.peer_group) {
    tell(MountEventKind::setattr, mount, 0);
  }
}

std::optional<MountNamespace::Located> MountNamespace::locate(std::uint64_t mount) const {
  // The paths of mount and parent mean something only beside each other: the parent's is asked for
  // before and after.
  auto info = query_mount(mount, id_, MountDetail::all);
  for (int attempt = 0; info && attempt < kLocateAttempts; ++attempt) {
    const auto parent = query_mount(info->parent, id_, MountDetail::all);
    auto again = query_mount(mount, id_, MountDetail::all);
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

void MountNamespace::tell(MountEventKind kind, const Mount& mount, pid_t pid) {
  MountEvent event;
  event.kind = kind;
  event.mount = mount.info.mount;
  event.pid = pid;
  if (kind == MountEventKind::readonly || kind == MountEventKind::setattr) {
    event.triggered_on = mount.info.id;
    event.now_readonly = (mount.info.attributes & kReadonly) != 0;
    event.trail = table_.trail(mount.info.mount, "/");
  } else {
    event.triggered_on = mount.info.parent_id;
    event.changed_mount = mount.info.id;
    event.trail = table_.trail(mount.info.parent, mount.place);
  }
  sink_.on_event(event);
}

void MountNamespace::tell_unplaced(MountEventKind kind, std::uint64_t mount, std::uint32_t id,
                                   pid_t pid) {
  MountEvent event;
  event.kind = kind;
  event.mount = mount;
  event.changed_mount = id;
  event.pid = pid;
  // Somewhere below the namespace's root: that is all we know.
  event.trail.push_back({});
  for (const std::uint64_t at : table_.mounts()) {
    if (table_.find(at)->info.mount_point == "/") event.trail.push_back({at, "/"});
  }
  sink_.on_event(event);
}

}  // namespace watchq
