// SPDX-License-Identifier: MIT
// SuperblockSource: the superblocks that somebody watches, and the detectors that see to them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "source/mount_namespace.h"
#include "source/superblock_detector.h"
#include "source/superblock_event.h"
#include "source/superblock_examiner.h"
#include "source/superblock_registry.h"

namespace watchq {

/// One thread.
class SuperblockSource {
 public:
  /// `io` outlives this.
  explicit SuperblockSource(boost::asio::io_context& io);
  ~SuperblockSource();
  SuperblockSource(const SuperblockSource&) = delete;
  SuperblockSource& operator=(const SuperblockSource&) = delete;

  /// Adds a detector: before anything is watched.
  void add(std::unique_ptr<SuperblockDetector> detector);
  /// Begins to tell; `sink` outlives all use of this.
  void start(SuperblockSink& sink);
  /// Where detectors put their events: passes them on while their superblock is watched.
  [[nodiscard]] SuperblockSink& sink();

  /// Examines open files of superblocks that are to be watched: what it gives is for watch(). May
  /// be used on any thread and outlive this.
  [[nodiscard]] std::shared_ptr<SuperblockExaminer> examiner() const { return examiner_; }

  /// Takes all that has been told of superblocks that are gone.
  void sync();

  /// A mount is gone: it stands for its superblock no more.
  void unmounted(const MountInfo& mount) { registry_.unmounted(mount); }

  /// The superblock of a mount of the namespace's table.
  const Superblock& identify(const MountNamespace& mounts, const Mount& mount);

  /// Watches a superblock that identify() gave of this mount, through the mounts of its namespace,
  /// once more; `probed` when its server, if it has one, may be asked for this watcher. Throws
  /// RequestError(EIO) when it is going away.
  void watch(std::uint64_t superblock, const std::shared_ptr<MountNamespace>& mounts,
             std::uint64_t mount, const ExaminedSuperblock& examined, bool probed);
  /// Adds what was found out of a watched superblock since.
  void learn(std::uint64_t superblock, const ExaminedSuperblock& examined);
  /// Undoes one watch().
  void unwatch(std::uint64_t superblock, const MountNamespace& mounts, bool probed);

  /// For MountNamespace's sink.
  void after_look(const MountNamespace& mounts);

  /// What is wrong with a watched superblock now.
  [[nodiscard]] std::vector<SuperblockEvent> present(std::uint64_t superblock) const;
  /// Whether the end of a superblock is told by an event; else by the end of its last mount.
  [[nodiscard]] bool is_traced(std::uint64_t superblock) const {
    return registry_.has_trace(superblock);
  }
  /// How much room a watched superblock has, where that is known.
  [[nodiscard]] std::optional<SpaceFigures> space(std::uint64_t superblock) const;
  [[nodiscard]] std::size_t watched() const { return watched_.size(); }
  /// Null when nobody watches it.
  [[nodiscard]] const WatchedSuperblock* find(std::uint64_t superblock) const;
  /// Calls `visit` for each watched superblock, with how each kind of event is seen there.
  void for_each(const std::function<void(const WatchedSuperblock&,
                                         const std::vector<SuperblockSight>&)>& visit) const;

 private:
  class Relay;
  struct Entry {
    WatchedSuperblock watched;
    std::unordered_map<std::uint64_t, std::size_t> uses;  // by MountNamespace::id()
  };

  void wait();
  void follow(std::uint64_t superblock, int trace);
  /// Ends the superblocks without a trace of which no mount is left.
  void end_untraced();
  /// The superblock is gone: all that it had to say is told, then that.
  void end(std::uint64_t superblock);
  void forget(std::uint64_t superblock);

  std::shared_ptr<SuperblockExaminer> examiner_;
  boost::asio::posix::stream_descriptor trace_wake_;  // borrows it
  SuperblockRegistry registry_;
  std::unique_ptr<Relay> relay_;
  std::vector<std::unique_ptr<SuperblockDetector>> detectors_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Entry>> watched_;
  std::unordered_set<int> ended_;  // of superblocks that were gone before anybody watched them
};

}  // namespace watchq
