// SPDX-License-Identifier: MIT
// MountFanotify: mounts by fanotify's mount events (Linux 6.15).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/close_aside.h"
#include "base/unique_fd.h"
#include "kernel/fanotify.h"
#include "source/mount_namespace.h"

namespace watchq {

/// fanotify tells of mounts that come, go and move, exactly and in order; only attributes are left
/// to be compared. One thread.
class MountFanotify final : public MountNamespace {
 public:
  /// Throws std::system_error where the kernel has no such events or we no right to them.
  MountFanotify(const MountContext& context, int namespace_fd);

  [[nodiscard]] std::uint64_t kernel_id() const override { return namespace_id_; }
  [[nodiscard]] std::optional<SuperblockState> superblock_state(std::uint64_t mount) const override;

 protected:
  bool take_changes() override;
  [[nodiscard]] bool announces_mounts() const override { return true; }
  void look() override;
  [[nodiscard]] std::optional<MountInfo> describe(std::uint64_t mount) const override;

 private:
  /// A group of fanotify, which is not closed by us: that may take long.
  class Group {
   public:
    explicit Group(UniqueFd fd) : fd_(std::move(fd)) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() { close_aside(std::move(fd_)); }

    [[nodiscard]] int get() const { return fd_.get(); }

   private:
    UniqueFd fd_;
  };

  struct Located {
    MountInfo info;
    std::string place;
  };

  void apply(const MountChange& change);
  void attached(const MountChange& change);
  /// What is on a mount goes with it, and is told first.
  void detached(const MountChange& change);
  void moved(const MountChange& change);
  void move(const Located& located, const MountChange& change);
  /// Looks up again where the mounts of these events are seen.
  void refresh_mount_points(const std::vector<MountEvent>& events);
  /// Tells of a move that fanotify has not told yet or is silent about: a mount that covers another
  /// slips onto one that comes beneath it, and back when that goes.
  void follow(std::uint64_t mount);
  /// Takes a mount off its parent, which goes: it has gone too, or is on another mount by now.
  void leave(std::uint64_t mount, const MountChange& parent_change);
  /// Where the kernel says that a mount is now can be ahead of what it has told: its parent not in
  /// the table yet, or still below the mount itself. One of these must change first.
  [[nodiscard]] std::vector<std::uint64_t> obstacles(const Located& located) const;
  /// Lets a change wait for what is in its way.
  bool must_wait(const Located& located, const MountChange& change);
  void wake(std::uint64_t mount);
  void overflowed();
  /// Whether this process may be the automounter that a mount is on, or works for it.
  [[nodiscard]] bool by_automounter(const Mount& mount, pid_t by) const;
  [[nodiscard]] bool expired(const Mount& mount, pid_t by) const;
  [[nodiscard]] std::vector<MountInfo> list() const;
  [[nodiscard]] std::vector<MountInfo> changed_mounts() const;
  [[nodiscard]] std::optional<Located> locate(std::uint64_t mount) const;
  void tell(MountEventKind kind, const MountChange& change);
  void tell_unplaced(MountEventKind kind, const MountChange& change);

  const std::uint64_t namespace_id_;  // of statmount(2)
  Group changes_;
  // Mounts that came and went again before we could look at them: told without their place.
  std::unordered_set<std::uint64_t> unplaced_;
  // Changes, by a mount whose own change they wait for.
  std::unordered_multimap<std::uint64_t, MountChange> waiting_;
};

}  // namespace watchq
