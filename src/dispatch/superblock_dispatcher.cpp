// SPDX-License-Identifier: MIT
#include "dispatch/superblock_dispatcher.h"

#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "dispatch/place.h"
#include "dispatch/record.h"
#include "dispatch/superblock_record.h"

namespace watchq {
namespace {

constexpr std::int32_t kRemove = -1;
constexpr std::int32_t kMaxTag = 255;

}  // namespace

void check_superblock_watch(const watchq_watch& request) {
  if (request.tag < kRemove || request.tag > kMaxTag) {
    throw RequestError(EINVAL, "a tag is 0 to 255, or -1 to remove the watch");
  }
  if ((request.flags & ~(WATCHQ_DETAIL | WATCHQ_ALL | WATCHQ_SNAPSHOT)) != 0) {
    throw RequestError(EINVAL, "unknown flags of a superblock watch");
  }
}

SuperblockDispatcher::SuperblockDispatcher(boost::asio::io_context& io, MountSource& mounts,
                                           SuperblockSource& superblocks, EventSink& sink)
    : mounts_(mounts),
      superblocks_(superblocks),
      mount_sink_(sink),
      scout_(io, superblocks.examiner()),
      reach_(superblocks, scout_) {
  superblocks_.start(*this);
}

void SuperblockDispatcher::watch(WatchQueue& queue, const Peer& caller, const watchq_watch& request,
                                 const OpenObject& object, const ExaminedSuperblock& examined) {
  const UniqueFd namespace_fd = caller.mount_namespace();
  auto mounts = mounts_.open(namespace_fd.get(), mount_sink_);
  mounts->sync();
  superblocks_.sync();
  if ((request.flags & WATCHQ_ALL) != 0) {
    watch_all(queue, caller, request, object, std::move(mounts));
    return;
  }
  const Mount& mount = mount_of(*mounts, object);
  const std::uint64_t superblock = superblocks_.identify(*mounts, mount).id;

  const SuperblockWatch* watched = watches_.find(queue, superblock);
  if (request.tag == kRemove) {
    if (watched == nullptr) throw RequestError(EBADSLT, "this queue does not watch the superblock");
    const SuperblockWatch taken = watches_.take(queue, superblock);
    superblocks_.unwatch(superblock, *taken.mounts);
    return;
  }
  const bool snapshot = (request.flags & WATCHQ_SNAPSHOT) != 0;
  if (watched != nullptr && !(snapshot && watched->tag == request.tag)) {
    throw RequestError(EBUSY, "this queue already watches the superblock");
  }
  superblocks_.watch(superblock, mounts, mount.info.mount, examined);
  if (watched != nullptr) {
    const SuperblockWatch taken = watches_.take(queue, superblock);
    superblocks_.unwatch(superblock, *taken.mounts);
  }
  if (request.flags != 0) queue.count_losses();
  const SuperblockWatch watch{&queue,
                              superblock,
                              static_cast<std::uint8_t>(request.tag),
                              (request.flags & WATCHQ_DETAIL) != 0,
                              caller.root(),
                              std::move(mounts)};
  watches_.add(watch);
  if (!snapshot) return;
  tell_present(watch, superblock);
  tell_complete(watch);
}

void SuperblockDispatcher::watch_all(WatchQueue& queue, const Peer& caller,
                                     const watchq_watch& request, const OpenObject& directory,
                                     std::shared_ptr<MountNamespace> mounts) {
  mounts->catch_up();
  Place place = place_of(*mounts, caller, request.object, directory);
  ReachWatch* watched = reach_.find(queue, place.mount, place.directory);
  if (request.tag == kRemove) {
    if (watched == nullptr) throw RequestError(EBADSLT, "this queue does not watch the directory");
    reach_.remove(*watched);
    return;
  }
  const bool snapshot = (request.flags & WATCHQ_SNAPSHOT) != 0;
  if (watched != nullptr && !(snapshot && watched->as.tag == request.tag)) {
    throw RequestError(EBUSY, "this queue already watches the directory");
  }
  if (watched != nullptr) reach_.remove(*watched);
  queue.count_losses();
  const ReachWatch& added =
      reach_.add({{&queue, 0, static_cast<std::uint8_t>(request.tag),
                   (request.flags & WATCHQ_DETAIL) != 0, caller.root(), std::move(mounts)},
                  place.mount,
                  std::move(place.directory),
                  {}});
  if (!snapshot) return;
  for (const std::uint64_t superblock : added.superblocks) tell_present(added.as, superblock);
  tell_complete(added.as);
}

void SuperblockDispatcher::drop(const WatchQueue& queue) {
  for (const SuperblockWatch& watch : watches_.take_queue(queue)) {
    superblocks_.unwatch(watch.superblock, *watch.mounts);
  }
  reach_.remove_queue(queue);
}

void SuperblockDispatcher::tell(const SuperblockWatch& watch, const SuperblockEvent& event) const {
  const SuperblockRecord record(event, watch.tag);
  const WatchedSuperblock* known = watch.detail ? superblocks_.find(event.superblock) : nullptr;
  if (known == nullptr) {
    watch.queue->post(record.bytes());
    return;
  }
  const auto mount = known->mount_in(*watch.mounts);
  const Mount* shown = mount ? watch.mounts->table().find(*mount) : nullptr;
  const SuperblockDetail detail(event, known->superblock, shown, watch.root, watch.tag);
  watch.queue->post(record.bytes(), detail.bytes());
}

void SuperblockDispatcher::tell_present(const SuperblockWatch& watch,
                                        std::uint64_t superblock) const {
  for (const SuperblockEvent& event : superblocks_.present(superblock)) tell(watch, event);
}

void SuperblockDispatcher::tell_complete(const SuperblockWatch& watch) {
  const watch_notification complete = snapshot_record(watch.tag);
  watch.queue->post_unfiltered(bytes_of(complete));
}

void SuperblockDispatcher::on_superblock_event(const SuperblockEvent& event) {
  for (const SuperblockWatch& watch : watches_.on(event.superblock)) tell(watch, event);
  reach_.for_each(event.superblock, [&](const ReachWatch& watch) { tell(watch.as, event); });
}

void SuperblockDispatcher::on_superblock_gone(std::uint64_t superblock) {
  reach_.forget(superblock);
  for (const SuperblockWatch& watch : watches_.take_superblock(superblock)) {
    const watch_notification record = removal_record(watch.tag);
    watch.queue->post(bytes_of(record));
  }
}

void SuperblockDispatcher::on_superblock_loss(std::uint64_t superblock) {
  std::unordered_set<WatchQueue*> queues;
  watches_.for_each([&](const SuperblockWatch& watch) {
    if (superblock == 0 || watch.superblock == superblock) queues.insert(watch.queue);
  });
  reach_.for_each(superblock, [&](const ReachWatch& watch) { queues.insert(watch.as.queue); });
  for (WatchQueue* queue : queues) queue->lose();
}

}  // namespace watchq
