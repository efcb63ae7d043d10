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
#include <unordered_set>

#include "base/unique_fd.h"
#include "kernel/fanotify.h"
#include "kernel/mount_namespace_fd.h"
#include "source/event.h"
#include "source/mount_table.h"
#include "source/work_budget.h"

namespace watchq {

struct MountSourceOptions {
  /// How often to look for what the kernel announces nowhere (propagation, fsconfig).
  std::chrono::milliseconds look_interval{1000};
  /// The share of a core that looking at attributes may cost, and how much of it at once.
  double look_share = 0.1;
  std::chrono::milliseconds look_burst{50};
};

struct MountCounters {
  std::uint64_t changes = 0;    ///< fanotify events taken
  std::uint64_t overflows = 0;  ///< times the kernel's queue had overflowed
  std::uint64_t looks = 0;      ///< times all attributes were compared
};

/// Follows one mount namespace. fanotify tells of mounts that come, go and move, exactly and in
/// order; mountinfo tells that something changed, attributes included, and the table is compared.
/// Keeps the namespace alive, but none of its mounts busy. All on the serving thread.
class MountNamespace : public std::enable_shared_from_this<MountNamespace> {
 public:
  /// `namespace_fd` is an open /proc/PID/ns/mnt; `sink` outlives this.
  /// Throws std::system_error where the kernel has no mount events or we no right to them.
  MountNamespace(boost::asio::io_context& io, int namespace_fd, const MountSourceOptions& options,
                 EventSink& sink, MountCounters& counters);

  /// Begins to take events as they come. Until then, and in between, sync() does.
  void start();

  /// Takes all that the kernel has told so far: what happened before this call is told to `sink`
  /// before it returns.
  void sync();

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const MountTable& table() const { return table_; }

  /// The directory's path from the root of its mount, given its path from the namespace's root.
  /// Nothing when the mount is gone or does not hold the path.
  [[nodiscard]] std::optional<std::string> place_in_mount(std::uint64_t mount,
                                                          const std::string& path) const;

 private:
  struct Located {
    MountInfo info;
    std::string place;
  };

  void load();
  void reread();
  void wait_for_changes();
  void wait_for_attributes();
  void schedule_look(std::chrono::steady_clock::duration delay);
  void take_changes();
  void apply(const MountChange& change);
  void attached(const MountChange& change);
  void detached(const MountChange& change);
  void moved(const MountChange& change);
  bool look_if_affordable();
  void look();
  void compare(const MountInfo& before, const MountInfo& now);
  [[nodiscard]] std::optional<Located> locate(std::uint64_t mount) const;
  void tell(MountEventKind kind, const Mount& mount, pid_t pid);
  void tell_unplaced(MountEventKind kind, std::uint64_t mount, std::uint32_t id, pid_t pid);

  const std::uint64_t id_;
  const MountSourceOptions options_;
  EventSink& sink_;
  MountCounters& counters_;
  MountTable table_;
  // Mounts that came and went again before we could look at them: told without their place.
  std::unordered_set<std::uint64_t> unplaced_;
  boost::asio::posix::stream_descriptor changes_;
  UniqueFd mountinfo_;
  boost::asio::posix::stream_descriptor mountinfo_wake_;
  boost::asio::steady_timer look_timer_;
  WorkBudget look_budget_;
  bool look_wanted_ = false;
};

}  // namespace watchq
