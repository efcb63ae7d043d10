// SPDX-License-Identifier: MIT
#include "source/mount_namespace.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <ctime>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "kernel/mount_namespace_fd.h"
#include "kernel/poll_set.h"

namespace watchq {

using Clock = std::chrono::steady_clock;

namespace {

/// Much longer than the kernel needs, and nothing to who waits for an attribute.
constexpr Clock::duration kSettling = std::chrono::microseconds(500);

/// What the processor has spent on this thread.
Clock::duration processor_time() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

UniqueFd copy_of(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) throw_errno("copy of a descriptor");
  return copy;
}

}  // namespace

MountNamespace::MountNamespace(const MountContext& context, int namespace_fd)
    : context_(context),
      id_(mount_namespace_inode(namespace_fd)),
      namespace_fd_(copy_of(namespace_fd)),
      mountinfo_(open_mountinfo(namespace_fd)),
      waking_mountinfo_(open_mountinfo(namespace_fd)),
      wake_(context.io, open_poll_set().release()),
      settle_timer_(context.io),
      look_timer_(context.io),
      look_budget_(context.options.look_share, context.options.look_burst) {
  add_to_poll_set(wake_.native_handle(), waking_mountinfo_.get(), EPOLLPRI);
}

void MountNamespace::start() {
  wait_for_wake();
  schedule_look(context_.options.look_interval);
}

void MountNamespace::sync() {
  const bool announced = take_changes();
  if (has_changed(announced) || std::exchange(settling_, false)) look_wanted_ = true;
  if (look_wanted_) look_if_affordable();
}

void MountNamespace::sync_table() {
  sync();
  if (!announces_mounts()) catch_up();
  if (!forgone_) return;
  look_wanted_ = true;
  look_if_affordable();
}

void MountNamespace::catch_up() {
  if (look_wanted_) look_now();
}

UniqueFd MountNamespace::copy_namespace_fd() const { return copy_of(namespace_fd_.get()); }

const Mount* MountNamespace::find(const OpenObject& object) const {
  const Mount* mount = object.mount ? table_.find(*object.mount) : nullptr;
  return mount != nullptr ? mount : table_.find_by_id(object.mount_id);
}

std::optional<std::string> MountNamespace::place_in_mount(std::uint64_t mount,
                                                          const std::string& path) const {
  const auto info = describe(mount);
  return info ? place_in_parent(path, info->mount_point) : std::nullopt;
}

std::optional<std::string> MountNamespace::find_directory(std::uint64_t mount,
                                                          const DirectoryHandle& handle) const {
  const auto info = describe(mount);
  if (!info || info->mount_point.empty()) return std::nullopt;
  const UniqueFd root = open_cached(namespace_fd(), info->mount_point);
  if (!root.valid()) return std::nullopt;
  const OpenObject on = describe_directory(root.get());
  if (on.mount_id != info->id) return std::nullopt;
  const UniqueFd directory = open_by_handle(root.get(), handle);
  if (!directory.valid()) {
    if (errno == ESTALE) throw RequestError(ENOENT, "the directory has been deleted");
    return std::nullopt;
  }
  return place_in_parent(describe_directory(directory.get()).path, on.path);
}

std::optional<SuperblockState> MountNamespace::superblock_state(std::uint64_t mount) const {
  const Mount* known = table_.find(mount);
  if (known == nullptr) return std::nullopt;
  SuperblockState state;
  state.options = known->info.superblock_options;
  state.read_only = state.has("ro");
  return state;
}

void MountNamespace::load(const std::vector<MountInfo>& infos) {
  table_ = MountTable();
  std::unordered_map<std::uint64_t, const std::string*> mount_points;
  for (const MountInfo& info : infos) mount_points.emplace(info.mount, &info.mount_point);
  for (const MountInfo& info : infos) {
    const auto parent = mount_points.find(info.parent);
    const auto place = parent == mount_points.end()
                           ? std::nullopt
                           : place_in_parent(info.mount_point, *parent->second);
    table_.put(info, place.value_or("/"));
  }
}

bool MountNamespace::take_wake() {
  if (mountinfo_changed(mountinfo_.get())) woken_ = true;
  return std::exchange(woken_, false);
}

void MountNamespace::reload(const std::vector<MountInfo>& infos, PlaceChange change) {
  const MountTable before = std::exchange(table_, MountTable());
  load(infos);
  for (const MountEvent& event : mount_diff(before, table_, change)) {
    emit(event);
  }
}

void MountNamespace::emit(const MountEvent& event) {
  too_deep_ = too_deep_ || event.deep;
  context_.sink.on_event(event);
}

void MountNamespace::tell_depth() {
  if (std::exchange(too_deep_, false)) context_.sink.on_loss({id()});
}

void MountNamespace::wake_for(int fd) { add_to_poll_set(wake_.native_handle(), fd, EPOLLIN); }

void MountNamespace::wait_for_wake() {
  wake_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [weak = weak_from_this()](const boost::system::error_code& error) {
                     const auto self = weak.lock();
                     if (error || !self) return;
                     self->woken();
                   });
}

void MountNamespace::woken() {
  // What is announced is told before anything else is done: somebody waits for it.
  const bool announced = take_changes();
  if (announced) context_.sink.after_events();
  // Waiting polls the files, which may swallow an event: so wait first, then ask the file that
  // nobody else polls.
  wait_for_wake();
  if (!has_changed(announced)) return;
  if (!announces_mounts() || context_.sink.wants_looks()) {
    look_wanted_ = true;
    return look_if_affordable();
  }
  // The kernel wakes mountinfo a moment before it announces the mount, if it was one.
  if (std::exchange(settling_, true)) return;
  settle_timer_.expires_after(kSettling);
  settle_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->sync();
  });
}

bool MountNamespace::has_changed(bool announced) {
  const bool changed = mountinfo_changed(mountinfo_.get());
  woken_ = woken_ || changed;
  if (!announced || context_.sink.wants_looks()) return changed;
  forgone_ = true;
  settling_ = false;
  return false;
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

void MountNamespace::look_if_affordable() {
  look_budget_.set_share(context_.options.look_share);
  const auto wait = look_budget_.wait(Clock::now());
  if (wait > Clock::duration::zero()) {
    schedule_look(wait);
  } else {
    look_now();
  }
}

void MountNamespace::look_now() {
  // Not the time that passes: on a machine with much to do, others have most of that.
  const auto start = processor_time();
  ++context_.counters.looks;
  look_wanted_ = settling_ = forgone_ = false;
  look();
  tell_depth();
  context_.sink.after_look(*this);
  look_budget_.spend(processor_time() - start, Clock::now());
  schedule_look(context_.options.look_interval);
}

}  // namespace watchq
