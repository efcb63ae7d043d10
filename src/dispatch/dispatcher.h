// SPDX-License-Identifier: MIT
// Dispatcher: which queue gets which event.
#pragma once

#include <watchq/watch_queue.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/user_limit.h"
#include "dispatch/key_dispatcher.h"
#include "dispatch/mount_watch_list.h"
#include "dispatch/place.h"
#include "dispatch/superblock_dispatcher.h"
#include "kernel/open_object.h"
#include "kernel/peer.h"
#include "kernel/process_name.h"
#include "queue/recipient.h"
#include "source/directory_follower.h"
#include "source/event.h"
#include "source/mount_source.h"

namespace watchq {

/// Checks what of a request to watch a mount can be checked by itself. Throws RequestError(EINVAL).
void check_mount_watch(const watchq_watch& request);

/// What watches may use.
struct WatchLimits {
  UserLimit watches;
  UserLimit probes;  ///< processes that ask the servers of watched superblocks
};

/// What a caller may see, as it was a moment ago.
struct Sight {
  OpenObject root;                                    ///< its root directory
  std::shared_ptr<const FollowedDirectory> followed;  ///< the same, followed; null: not
  std::vector<ExaminedKey> keys;                      ///< that its user may view
};

/// Holds all watches, sets them for the clients that ask and may, and writes to their queues what
/// the sources tell. One thread.
class Dispatcher final : public EventSink {
 public:
  /// All outlive this.
  Dispatcher(MountSource& mounts, SuperblockSource& superblocks, KeySource& keys,
             boost::asio::io_context& io, WatchLimits& limits);
  ~Dispatcher() { follower_->stop(); }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Has `wake` called where sources have told all that they had to tell: clients need not wait for
  /// what is done after it.
  void on_told(std::function<void()> wake) { told_ = std::move(wake); }

  /// Follows directories that are to be watched: what it gives is for watch_mount(). May be used on
  /// any thread and outlive this.
  [[nodiscard]] std::shared_ptr<DirectoryFollower> follower() const { return follower_; }

  /// Sets or removes the watch that the caller asks for. Where there is no error, all that happens
  /// from now on is told, and nothing that happened before. With WATCHQ_SNAPSHOT what is there
  /// comes first; asked for again with the same tag, it is told again. Throws RequestError: EINVAL
  /// for a tag, flag or object that cannot be, EBADF, ENOTDIR, EPERM for what is not below the
  /// caller's root, EBUSY when the queue already watches the directory, EBADSLT when it does not,
  /// ENOSPC when the queue's owner, or all users together, have too many watches.
  /// `directory` is what the caller's open file was a moment ago.
  void watch_mount(Recipient& queue, const Peer& caller, const watchq_watch& request,
                   OpenObject directory, std::shared_ptr<const FollowedDirectory> followed);

  /// Watches for the caller all that it may see: the mounts at and below its root directory, the
  /// superblocks of those mounts, and these keys. Throws RequestError as watch_mount() does; what
  /// has been set then goes with drop().
  void watch_everything(Recipient& recipient, const Peer& caller, const Sight& sight);

  /// Forgets a queue that is about to go.
  void drop(const Recipient& queue);

  /// The half that watches superblocks.
  [[nodiscard]] SuperblockDispatcher& superblocks() { return superblocks_; }

  /// The part that watches keys.
  [[nodiscard]] KeyDispatcher& keys() { return keys_; }

  /// What a queue watches, a text for each watch.
  [[nodiscard]] std::vector<std::string> describe_watches(const Recipient& queue) const;

  [[nodiscard]] std::size_t watches() const {
    return mount_watches_.size() + superblocks_.watches() + keys_.watches();
  }

  void on_event(const MountEvent& event) override;
  void on_loss(const MountLoss& loss) override;
  void before_events() override { follow_directories(); }
  void after_events() override {
    if (told_) told_();
  }
  [[nodiscard]] bool wants_looks() const override { return superblocks_.wants_looks(); }
  void after_look(const MountNamespace& mounts) override { superblocks_.after_look(mounts); }

 private:
  static void tell(const MountWatch& watch, const MountEvent& event, bool below,
                   NamedProcess& process);
  static void tell_snapshot(const MountWatch& watch);

  /// Brings the paths of watched directories up to date, and ends the watches of deleted ones.
  void follow_directories();
  void follow_directory(const MountWatch& watch);

  MountSource& mounts_;
  WatchLimits& limits_;
  std::function<void()> told_;
  std::shared_ptr<DirectoryFollower> follower_;
  MountWatchList mount_watches_;
  SuperblockDispatcher superblocks_;
  KeyDispatcher keys_;
};

}  // namespace watchq
