// SPDX-License-Identifier: MIT
#include "dispatch/superblock_dispatcher.h"

#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "dispatch/event_facts.h"
#include "dispatch/record.h"
#include "dispatch/superblock_record.h"
#include "dispatch/watch_tag.h"
#include "dispatch/watch_words.h"
#include "source/network_detector.h"

namespace watchq {
void check_superblock_watch(const watchq_sb_watch& asked) {
  const watchq_watch& request = asked.watch;
  static_cast<void>(make_space_watch(asked));
  check_tag(request.tag);
  if ((request.flags & ~(WATCHQ_DETAIL | WATCHQ_ALL | WATCHQ_SNAPSHOT)) != 0) {
    throw RequestError(EINVAL, "unknown flags of a superblock watch");
  }
}

SuperblockDispatcher::SuperblockDispatcher(boost::asio::io_context& io, MountSource& mounts,
                                           SuperblockSource& superblocks, EventSink& sink,
                                           UserLimit& watches, UserLimit& probes)
    : mounts_(mounts),
      superblocks_(superblocks),
      mount_sink_(sink),
      watch_limit_(watches),
      probe_limit_(probes),
      scout_(io, superblocks.examiner()),
      reach_(superblocks, scout_, probes) {
  superblocks_.start(*this);
}

void SuperblockDispatcher::watch(Recipient& queue, const Peer& caller, const watchq_sb_watch& asked,
                                 const OpenObject& object, const ExaminedSuperblock& examined) {
  const watchq_watch& request = asked.watch;
  auto mounts = mounts_.open(caller.mount_namespace().get(), mount_sink_);
  mounts->sync_table();
  superblocks_.sync();  // after the table: what has ended is not to be taken for what is there now
  if ((request.flags & WATCHQ_ALL) != 0) {
    watch_all(queue, caller, asked, object, std::move(mounts));
    return;
  }
  const Mount& mount = mount_of(*mounts, object);
  const std::uint64_t superblock = superblocks_.identify(*mounts, mount).id;

  const SuperblockWatch* watched = watches_.find(queue, superblock);
  if (request.tag == kRemove) {
    if (watched == nullptr) throw RequestError(EBADSLT, "this queue does not watch the superblock");
    unwatch(queue, superblock);
    return;
  }
  const bool snapshot = (request.flags & WATCHQ_SNAPSHOT) != 0;
  if (watched != nullptr && !(snapshot && watched->tag == request.tag)) {
    throw RequestError(EBUSY, "this queue already watches the superblock");
  }
  auto share = watched != nullptr ? watched->share : watch_limit_.share(queue.owner(), 1);
  auto probe = watched != nullptr ? watched->probe : share_of_probes(queue, mount);
  superblocks_.watch(superblock, mounts, mount.info.mount, examined, probe != nullptr);
  const auto space = space_of_watched(asked, superblock, *mounts, probe != nullptr);
  if (watched != nullptr) unwatch(queue, superblock);
  if (request.flags != 0) queue.count_losses();
  const SuperblockWatch watch{&queue,
                              superblock,
                              static_cast<std::uint8_t>(request.tag),
                              (request.flags & WATCHQ_DETAIL) != 0,
                              caller.root(),
                              std::move(mounts),
                              space,
                              std::move(share),
                              std::move(probe)};
  watches_.add(watch);
  begin(watch, superblock, snapshot);
}

void SuperblockDispatcher::begin(const SuperblockWatch& watch, std::uint64_t superblock,
                                 bool snapshot) {
  begin_space(watch, superblock, snapshot);
  if (!snapshot) return;
  tell_present(watch, superblock);
  tell_complete(watch);
}

std::shared_ptr<const UserLimit::Share> SuperblockDispatcher::share_of_probes(
    const Recipient& queue, const Mount& mount) const {
  return has_server(mount.info.fs_type) ? probe_limit_.share(queue.owner(), 1) : nullptr;
}

void SuperblockDispatcher::unwatch(const Recipient& queue, std::uint64_t superblock) {
  const SuperblockWatch taken = watches_.take(queue, superblock);
  superblocks_.unwatch(superblock, *taken.mounts, taken.probe != nullptr);
}

void SuperblockDispatcher::watch_all(Recipient& queue, const Peer& caller,
                                     const watchq_sb_watch& asked, const OpenObject& directory,
                                     std::shared_ptr<MountNamespace> mounts) {
  const watchq_watch& request = asked.watch;
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
  auto share = watched != nullptr ? watched->as.share : watch_limit_.share(queue.owner(), 1);
  if (watched != nullptr) reach_.remove(*watched);
  queue.count_losses();
  const ReachWatch& added = reach_.add(
      {{&queue, 0, static_cast<std::uint8_t>(request.tag), (request.flags & WATCHQ_DETAIL) != 0,
        caller.root(), std::move(mounts), make_space_watch(asked), std::move(share)},
       place.mount,
       std::move(place.directory),
       {},
       {}});
  for (const std::uint64_t superblock : added.superblocks) {
    begin_space(added.as, superblock, snapshot);
  }
  if (!snapshot) return;
  for (const std::uint64_t superblock : added.superblocks) tell_present(added.as, superblock);
  tell_complete(added.as);
}

void SuperblockDispatcher::watch_below(Recipient& recipient, const Peer& caller,
                                       const std::shared_ptr<MountNamespace>& mounts,
                                       const Place& place) {
  superblocks_.sync();
  auto share = watch_limit_.share(recipient.owner(), 1);
  const ReachWatch& added = reach_.add(
      {{&recipient, 0, 0, false, caller.root(), mounts, standard_space_watch(), std::move(share)},
       place.mount,
       place.directory,
       {},
       {}});
  for (const std::uint64_t superblock : added.superblocks) {
    begin_space(added.as, superblock, false);
  }
}

void SuperblockDispatcher::drop(const Recipient& queue) {
  for (const SuperblockWatch& watch : watches_.take_queue(queue)) {
    superblocks_.unwatch(watch.superblock, *watch.mounts, watch.probe != nullptr);
  }
  reach_.remove_queue(queue);
}

void SuperblockDispatcher::describe_watches(const Recipient& queue,
                                            std::vector<std::string>& texts) const {
  for (const SuperblockWatch* watch : watches_.of_queue(queue)) texts.push_back(words_of(*watch));
  reach_.for_each(0, [&](const ReachWatch& watch) {
    if (watch.as.queue == &queue) texts.push_back(words_of(watch));
  });
}

void SuperblockDispatcher::tell(const SuperblockWatch& watch, const SuperblockEvent& event) const {
  const SuperblockRecord record(event, watch.tag);
  if (watch.queue->wants_facts()) {
    Facts facts = facts_of(watch, event.superblock);
    add_quota(facts, event);
    watch.queue->post_facts(record.bytes(), facts);
    return;
  }
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

Facts SuperblockDispatcher::facts_of(const SuperblockWatch& watch, std::uint64_t superblock) const {
  const WatchedSuperblock* known = superblocks_.find(superblock);
  if (known != nullptr) return facts_of_superblock(known->superblock, *watch.mounts, watch.root);
  Facts facts;
  facts.superblock = superblock;
  return facts;
}

void SuperblockDispatcher::tell_space(const SuperblockWatch& watch,
                                      const watchq_space_notification& record) const {
  if (watch.queue->wants_facts()) {
    watch.queue->post_facts(bytes_of(record), facts_of(watch, record.sb_id));
  } else {
    watch.queue->post(bytes_of(record));
  }
}

std::shared_ptr<SpaceWatch> SuperblockDispatcher::space_of_watched(const watchq_sb_watch& asked,
                                                                   std::uint64_t superblock,
                                                                   const MountNamespace& mounts,
                                                                   bool probed) const {
  auto space = make_space_watch(asked);
  if (!space || can_tell_space(superblock, *space)) return space;
  superblocks_.unwatch(superblock, mounts, probed);
  throw RequestError(EOPNOTSUPP, "nobody counts what the threshold is about");
}

bool SuperblockDispatcher::can_tell_space(std::uint64_t superblock, const SpaceWatch& space) const {
  const WatchedSuperblock* watched = superblocks_.find(superblock);
  // What a server counts is known with its first answer.
  if (watched != nullptr && has_server(watched->superblock.fs_type)) return true;
  const auto figures = superblocks_.space(superblock);
  return figures && space.can_tell(*figures);
}

void SuperblockDispatcher::begin_space(const SuperblockWatch& watch, std::uint64_t superblock,
                                       bool tells) const {
  if (!watch.space) return;
  const auto figures = superblocks_.space(superblock);
  if (!figures) return;
  for (const auto& record : watch.space->update(superblock, *figures, watch.tag)) {
    if (tells) tell_space(watch, record);
  }
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
  reach_.for_each(superblock, [&](const ReachWatch& watch) {
    if (watch.as.space) watch.as.space->forget(superblock);
  });
  reach_.forget(superblock);
  for (const SuperblockWatch& watch : watches_.take_superblock(superblock)) {
    const watch_notification record = removal_record(watch.tag);
    watch.queue->post(bytes_of(record));
  }
}

void SuperblockDispatcher::on_superblock_loss(std::uint64_t superblock) {
  std::unordered_set<Recipient*> queues;
  watches_.for_each([&](const SuperblockWatch& watch) {
    if (superblock == 0 || watch.superblock == superblock) queues.insert(watch.queue);
  });
  reach_.for_each(superblock, [&](const ReachWatch& watch) { queues.insert(watch.as.queue); });
  for (Recipient* queue : queues) queue->lose();
}

void SuperblockDispatcher::on_superblock_space(std::uint64_t superblock,
                                               const SpaceFigures& figures) {
  const auto update = [&](const SuperblockWatch& watch) {
    if (!watch.space) return;
    for (const auto& record : watch.space->update(superblock, figures, watch.tag)) {
      tell_space(watch, record);
    }
  };
  for (const SuperblockWatch& watch : watches_.on(superblock)) update(watch);
  reach_.for_each(superblock, [&](const ReachWatch& watch) { update(watch.as); });
}

}  // namespace watchq
