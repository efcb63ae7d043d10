// SPDX-License-Identifier: MIT
#include "dispatch/dispatcher.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "dispatch/event_facts.h"
#include "dispatch/record.h"
#include "dispatch/watch_tag.h"
#include "dispatch/watch_words.h"
#include "source/mount_event.h"

namespace watchq {
namespace {

bool concerns_a_mount_itself(MountEventKind kind) {
  return kind == MountEventKind::readonly || kind == MountEventKind::setattr;
}

/// Whether a watch sees a mount that this way leads up from.
bool sees(const MountWatch& watch, const std::vector<TrailStep>& way) {
  return std::any_of(way.begin(), way.end(), [&](const TrailStep& step) {
    return step.mount == watch.mount && is_at_or_below(step.place, watch.directory);
  });
}

}  // namespace

void check_mount_watch(const watchq_watch& request) {
  check_tag(request.tag);
  if ((request.flags & ~(WATCHQ_DETAIL | WATCHQ_SNAPSHOT)) != 0) {
    throw RequestError(EINVAL, "unknown flags of a mount watch");
  }
}

Dispatcher::Dispatcher(MountSource& mounts, SuperblockSource& superblocks, KeySource& keys,
                       boost::asio::io_context& io, WatchLimits& limits)
    : mounts_(mounts),
      limits_(limits),
      follower_(std::make_shared<DirectoryFollower>(io)),
      superblocks_(io, mounts, superblocks, *this, limits.watches, limits.probes),
      keys_(keys, limits.watches) {
  follower_->start([this] { follow_directories(); });
}

void Dispatcher::drop(const Recipient& queue) {
  mount_watches_.remove_queue(queue);
  superblocks_.drop(queue);
  keys_.drop(queue);
}

void Dispatcher::watch_mount(Recipient& queue, const Peer& caller, const watchq_watch& request,
                             OpenObject directory,
                             std::shared_ptr<const FollowedDirectory> followed) {
  const UniqueFd namespace_fd = caller.mount_namespace();
  auto mounts = mounts_.open(namespace_fd.get(), *this);
  mounts->sync_table();
  follow_directories();
  Place place = place_of(*mounts, caller, request.object, std::move(directory));

  const MountWatch* watched = mount_watches_.find(queue, place.mount, place.directory);
  if (request.tag == kRemove) {
    if (watched == nullptr) throw RequestError(EBADSLT, "this queue does not watch the directory");
    mount_watches_.remove(queue, place.mount, place.directory);
    return;
  }
  const bool snapshot = (request.flags & WATCHQ_SNAPSHOT) != 0;
  if (watched != nullptr && !(snapshot && watched->tag == request.tag)) {
    throw RequestError(EBUSY, "this queue already watches the directory");
  }
  auto share = watched != nullptr ? watched->share : limits_.watches.share(queue.owner(), 1);
  if (request.flags != 0) queue.count_losses();
  const MountWatch watch{&queue,
                         place.mount,
                         std::move(place.directory),
                         static_cast<std::uint8_t>(request.tag),
                         (request.flags & WATCHQ_DETAIL) != 0,
                         caller.shares_pid_namespace(),
                         caller.root(),
                         std::move(mounts),
                         std::move(followed),
                         std::move(share)};
  mount_watches_.put(watch);
  if (snapshot) tell_snapshot(watch);
}

void Dispatcher::watch_everything(Recipient& recipient, const Peer& caller, const Sight& sight) {
  const UniqueFd namespace_fd = caller.mount_namespace();
  const auto mounts = mounts_.open(namespace_fd.get(), *this);
  mounts->sync_table();
  mounts->catch_up();
  follow_directories();
  const Place place = place_of_root(*mounts, caller, sight.root);
  mount_watches_.put({&recipient, place.mount, place.directory, 0, false,
                      caller.shares_pid_namespace(), caller.root(), mounts, sight.followed,
                      limits_.watches.share(recipient.owner(), 1)});
  superblocks_.watch_below(recipient, caller, mounts, place);
  keys_.watch_all(recipient, sight.keys);
}

std::vector<std::string> Dispatcher::describe_watches(const Recipient& queue) const {
  std::vector<std::string> texts;
  for (const MountWatch* watch : mount_watches_.of_queue(queue)) texts.push_back(words_of(*watch));
  superblocks_.describe_watches(queue, texts);
  keys_.describe_watches(queue, texts);
  return texts;
}

void Dispatcher::tell(const MountWatch& watch, const MountEvent& event, bool below,
                      NamedProcess& process) {
  const mount_notification record = mount_record(event, watch.tag, below);
  if (watch.queue->wants_facts()) {
    Facts facts = facts_of_mount(event, *watch.mounts, watch.root);
    if (watch.sees_pids) add_process(facts, process);
    watch.queue->post_facts(bytes_of(record), facts);
    return;
  }
  if (watch.detail) {
    const DetailRecord detail(event, watch.tag, watch.root, watch.sees_pids);
    watch.queue->post(bytes_of(record), detail.bytes());
  } else {
    watch.queue->post(bytes_of(record));
  }
}

void Dispatcher::tell_snapshot(const MountWatch& watch) {
  NamedProcess nobody(0);
  const Recipient::Burst burst(*watch.queue);
  for (const MountEvent& event :
       snapshot_events(watch.mounts->table(), watch.mount, watch.directory)) {
    tell(watch, event, event.trail.front().mount != watch.mount, nobody);
  }
  const watch_notification complete = snapshot_record(watch.tag);
  watch.queue->post_unfiltered(bytes_of(complete));
}

void Dispatcher::follow_directories() {
  const auto changed = follower_->take_changed();
  if (changed.empty()) return;
  std::vector<MountWatch> concerned;
  mount_watches_.for_each([&](const MountWatch& watch) {
    if (watch.followed && changed.concerns(*watch.followed)) concerned.push_back(watch);
  });
  for (const MountWatch& watch : concerned) follow_directory(watch);
}

void Dispatcher::follow_directory(const MountWatch& watch) {
  try {
    const auto now = watch.mounts->find_directory(watch.mount, watch.followed->handle);
    if (!now || *now == watch.directory) return;
    watch.mounts->rename(watch.mount, watch.directory, *now);
    mount_watches_.set_directory(watch, *now);
  } catch (const RequestError& error) {
    if (error.error() != ENOENT) return;
    mount_watches_.remove(watch);
    const watch_notification record = removal_record(watch.tag);
    watch.queue->post(bytes_of(record));
  } catch (const std::system_error&) {
    // Its namespace cannot be entered: the path that is known must do.
  }
}

void Dispatcher::on_event(const MountEvent& event) {
  superblocks_.mounts_changed();
  NamedProcess process(event.pid);
  for (const TrailStep& step : event.trail) {
    const bool first = &step == &event.trail.front();
    // What changes the watched mount itself changes each directory in it.
    const auto watches = first && concerns_a_mount_itself(event.kind)
                             ? mount_watches_.on_mount(step.mount)
                             : mount_watches_.at_or_above(step.mount, step.place);
    for (const MountWatch* watch : watches) {
      if (!sees(*watch, event.elsewhere)) tell(*watch, event, !first, process);
    }
  }
  if (event.kind != MountEventKind::unmount || !event.elsewhere.empty()) return;
  superblocks_.unmounted(event.mount);
  for (const MountWatch& watch : mount_watches_.take_mount(event.mount.mount)) {
    const watch_notification record = removal_record(watch.tag);
    watch.queue->post(bytes_of(record));
  }
}

void Dispatcher::on_loss(const MountLoss& loss) {
  std::unordered_set<Recipient*> queues;
  mount_watches_.for_each([&](const MountWatch& watch) {
    if (watch.mounts->id() == loss.mount_namespace) queues.insert(watch.queue);
  });
  for (Recipient* queue : queues) queue->lose();
}

}  // namespace watchq
