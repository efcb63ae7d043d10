// SPDX-License-Identifier: MIT
// MountNamespace: tells what happens to the mounts of one namespace.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/directory_handle.h"
#include "kernel/open_object.h"
#include "source/event.h"
#include "source/mount_diff.h"
#include "source/mount_table.h"
#include "source/work_budget.h"

namespace watchq {

struct MountSourceOptions {
  /// How often to look for what the kernel announces nowhere (propagation, fsconfig).
  std::chrono::milliseconds look_interval{1000};
  /// The share of a core that looking may cost, and how much of it at once.
  double look_share = 0.1;
  std::chrono::milliseconds look_burst{50};
};

struct MountCounters {
  std::uint64_t changes = 0;    ///< fanotify events taken
  std::uint64_t overflows = 0;  ///< times the kernel's queue had overflowed
  std::uint64_t looks = 0;      ///< times all mounts were compared with before
};

/// What all sources that use the mounts of a namespace share.
struct MountContext {
  boost::asio::io_context& io;
  const MountSourceOptions& options;
  EventSink& sink;
  MountCounters& counters;
};

/// Follows one mount namespace and keeps a table of its mounts. mountinfo tells that something
/// changed; what, is found by comparing, within a budget. Keeps the namespace alive, but none of
/// its mounts busy. All on the serving thread.
class MountNamespace : public std::enable_shared_from_this<MountNamespace> {
 public:
  virtual ~MountNamespace() = default;

  /// Begins to take events as they come. Until then, and in between, sync() does.
  void start();

  /// Takes all that the kernel has told so far: what happened before this call is told to the sink
  /// before it returns.
  void sync();

  /// The same, and the table is right afterwards also where mounts are only found by looking: for
  /// who is told what is there, or what happens from here on. May cost a look that was not due yet.
  void sync_table();

  /// Does what sync() left for later because it costs too much too often. For when a mount that
  /// must be there is not in the table.
  void catch_up();

  /// Names the namespace among those that live.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  /// The 64-bit ID by which the kernel knows the namespace; 0 where it has none.
  [[nodiscard]] virtual std::uint64_t kernel_id() const { return 0; }
  [[nodiscard]] const MountTable& table() const { return table_; }
  /// Its /proc/PID/ns/mnt, open as long as this lives.
  [[nodiscard]] int namespace_fd() const { return namespace_fd_.get(); }

  /// What a mount's superblock is like: as of now or, by mountinfo alone, of the last look. Nothing
  /// when the mount is gone.
  [[nodiscard]] virtual std::optional<SuperblockState> superblock_state(std::uint64_t mount) const;

  /// A copy of the descriptor that names the namespace. Throws std::system_error.
  [[nodiscard]] UniqueFd copy_namespace_fd() const;

  /// The mount that an open file is on; null when it is not in this namespace.
  [[nodiscard]] const Mount* find(const OpenObject& object) const;

  /// Where in its mount a directory is by now: a path from the mount's root. Nothing where that
  /// cannot be found out without waiting, as when another mount covers it. Holds the mount for a
  /// moment. Throws RequestError(ENOENT) when the directory has been deleted.
  [[nodiscard]] std::optional<std::string> find_directory(std::uint64_t mount,
                                                          const DirectoryHandle& handle) const;
  /// Tells the table that a directory of a mount has another path in it.
  void rename(std::uint64_t mount, const std::string& from, const std::string& to) {
    table_.rename(mount, from, to);
  }

  /// A path from the root of its mount, given as from the namespace's root. Nothing when the mount
  /// is gone or does not hold it.
  [[nodiscard]] std::optional<std::string> place_in_mount(std::uint64_t mount,
                                                          const std::string& path) const;

 protected:
  /// `namespace_fd` is an open /proc/PID/ns/mnt. Throws std::system_error.
  MountNamespace(const MountContext& context, int namespace_fd);

  /// Takes what has been announced change by change. Returns whether there was anything.
  virtual bool take_changes() { return false; }
  /// Whether take_changes() takes all that changes the table's shape.
  [[nodiscard]] virtual bool announces_mounts() const { return false; }
  /// Compares with before what is not announced change by change.
  virtual void look() = 0;
  /// What a mount is now; nothing when it is gone.
  [[nodiscard]] virtual std::optional<MountInfo> describe(std::uint64_t mount) const = 0;

  /// Puts the mounts of a whole listing in place of the table.
  void load(const std::vector<MountInfo>& infos);
  /// The same, and tells the difference.
  void reload(const std::vector<MountInfo>& infos, PlaceChange change);

  /// Hands an event to the sink.
  void emit(const MountEvent& event);
  /// Tells of a loss, once, when some of those were so deep below that those who watch further up
  /// were not told.
  void tell_depth();

  /// Whether mountinfo has said that something changed since this was last asked.
  [[nodiscard]] bool take_wake();
  /// Has one more file wake us, whose changes take_changes() takes.
  void wake_for(int fd);
  /// For a look that could not see everything: another one follows.
  void look_again() { woken_ = look_wanted_ = true; }

  const MountContext context_;
  MountTable table_;

 private:
  void wait_for_wake();
  void woken();
  /// Whether mountinfo has said that something changed that must be looked for. A mount that came
  /// or went wakes it as a changed attribute does, but when that has just been announced it need
  /// not be looked for, unless the sink wants so: an attribute of another mount that changed at the
  /// same moment, or until all was told, waits for the look that is due anyway.
  [[nodiscard]] bool has_changed(bool announced);
  void schedule_look(std::chrono::steady_clock::duration delay);
  void look_if_affordable();
  void look_now();

  std::uint64_t id_;
  UniqueFd namespace_fd_;
  UniqueFd mountinfo_;  // for asking: the reactor polls when it likes, and may swallow an event
  UniqueFd waking_mountinfo_;                   // opened once more, for the reactor
  boost::asio::posix::stream_descriptor wake_;  // a set of what wakes us
  boost::asio::steady_timer settle_timer_;
  boost::asio::steady_timer look_timer_;
  WorkBudget look_budget_;
  bool settling_ = false;  // woken, and not known whether by an attribute
  bool forgone_ = false;   // woken since the last look, by what was announced
  bool look_wanted_ = false;
  bool woken_ = true;
  bool too_deep_ = false;
};

}  // namespace watchq
