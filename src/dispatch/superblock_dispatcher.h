// SPDX-License-Identifier: MIT
// SuperblockDispatcher: which queue gets which event of a superblock.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/place.h"
#include "dispatch/superblock_reach.h"
#include "dispatch/superblock_watch_list.h"
#include "kernel/open_object.h"
#include "kernel/peer.h"
#include "report/facts.h"
#include "source/mount_source.h"
#include "source/superblock_source.h"

namespace watchq {

/// Checks what of a request to watch a superblock can be checked by itself. Throws
/// RequestError(EINVAL).
void check_superblock_watch(const watchq_sb_watch& asked);

/// Holds the watches of superblocks, and writes to their queues what detectors see. One thread.
class SuperblockDispatcher final : public SuperblockSink {
 public:
  /// All outlive this; `sink` hears of the mounts of namespaces that are followed.
  /// `watches` and `probes` are what watches are paid from.
  SuperblockDispatcher(boost::asio::io_context& io, MountSource& mounts,
                       SuperblockSource& superblocks, EventSink& sink, UserLimit& watches,
                       UserLimit& probes);
  SuperblockDispatcher(const SuperblockDispatcher&) = delete;
  SuperblockDispatcher& operator=(const SuperblockDispatcher&) = delete;

  /// Sets or removes the watch that the caller asks for. `object` is what its open file was a
  /// moment ago, `examined` what was found out from it then. Throws RequestError: EINVAL for a tag,
  /// flag or object that cannot be, EBUSY when the queue already watches the superblock, EBADSLT
  /// when it does not, with
  /// WATCHQ_ALL also ENOTDIR and EPERM as for a mount, EIO when the superblock is going away.
  /// EOPNOTSUPP when nobody can tell how much is free there, but a threshold is named. ENOSPC when
  /// the queue's owner has too many watches, EMFILE when too many of them are of superblocks whose
  /// servers are asked.
  void watch(Recipient& queue, const Peer& caller, const watchq_sb_watch& asked,
             const OpenObject& object, const ExaminedSuperblock& examined);

  /// Watches the superblocks of all mounts at and below a directory, and the space that is free on
  /// them by the standard thresholds.
  void watch_below(Recipient& recipient, const Peer& caller,
                   const std::shared_ptr<MountNamespace>& mounts, const Place& place);

  /// Forgets a queue that is about to go.
  void drop(const Recipient& queue);

  /// A mount is gone.
  void unmounted(const MountInfo& mount) { superblocks_.unmounted(mount); }
  /// All mounts of a namespace have been looked at.
  void after_look(const MountNamespace& mounts) {
    superblocks_.after_look(mounts);
    reach_.after_look(mounts);
  }
  /// Mounts have come, gone or moved.
  void mounts_changed() { reach_.mounts_changed(); }
  /// New mounts may lead to superblocks that are to be watched.
  [[nodiscard]] bool wants_looks() const { return reach_.size() != 0; }

  /// For patient threads: what they find out is for watch().
  [[nodiscard]] std::shared_ptr<SuperblockExaminer> examiner() const {
    return superblocks_.examiner();
  }

  /// Adds what a queue watches, a text for each watch.
  void describe_watches(const Recipient& queue, std::vector<std::string>& texts) const;

  [[nodiscard]] std::size_t watches() const { return watches_.size() + reach_.size(); }

  void on_superblock_event(const SuperblockEvent& event) override;
  void on_superblock_gone(std::uint64_t superblock) override;
  void on_superblock_loss(std::uint64_t superblock) override;
  void on_superblock_space(std::uint64_t superblock, const SpaceFigures& figures) override;

 private:
  void unwatch(const Recipient& queue, std::uint64_t superblock);
  void watch_all(Recipient& queue, const Peer& caller, const watchq_sb_watch& asked,
                 const OpenObject& directory, std::shared_ptr<MountNamespace> mounts);
  void tell(const SuperblockWatch& watch, const SuperblockEvent& event) const;
  void tell_space(const SuperblockWatch& watch, const watchq_space_notification& record) const;
  [[nodiscard]] Facts facts_of(const SuperblockWatch& watch, std::uint64_t superblock) const;
  /// The threshold asked for; undoes the source's watch where it cannot be told.
  std::shared_ptr<SpaceWatch> space_of_watched(const watchq_sb_watch& asked,
                                               std::uint64_t superblock,
                                               const MountNamespace& mounts, bool probed) const;
  [[nodiscard]] bool can_tell_space(std::uint64_t superblock, const SpaceWatch& space) const;
  /// Begins with what is free now; told where `tells`.
  /// Of a superblock whose server is to be asked; else none.
  [[nodiscard]] std::shared_ptr<const UserLimit::Share> share_of_probes(const Recipient& queue,
                                                                        const Mount& mount) const;
  /// What a new watch is told at once.
  void begin(const SuperblockWatch& watch, std::uint64_t superblock, bool snapshot);
  void begin_space(const SuperblockWatch& watch, std::uint64_t superblock, bool tells) const;
  void tell_present(const SuperblockWatch& watch, std::uint64_t superblock) const;
  static void tell_complete(const SuperblockWatch& watch);

  MountSource& mounts_;
  SuperblockSource& superblocks_;
  EventSink& mount_sink_;
  UserLimit& watch_limit_;
  UserLimit& probe_limit_;
  SuperblockWatchList watches_;
  SuperblockScout scout_;
  SuperblockReach reach_;
};

}  // namespace watchq
