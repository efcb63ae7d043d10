// SPDX-License-Identifier: MIT
// SuperblockDetector: sees one kind of event of the superblocks that somebody watches.
#pragma once

#include <sys/types.h>
#include <sys/vfs.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "source/mount_namespace.h"
#include "source/superblock_event.h"

namespace watchq {

/// A mounted filesystem, for as long as it lives.
struct Superblock {
  std::uint64_t id = 0;  ///< never used again while the machine runs
  std::string device;    ///< "major:minor" as in mountinfo; another's once this one is gone
  std::string fs_type;
  std::string source;
};

/// What was found out from an open file, where its filesystem could be asked without waiting for a
/// server or another program: on a patient thread, with the file closed again since. A value.
struct ExaminedSuperblock {
  bool done = false;               ///< false: there was no file to examine yet
  bool local = false;              ///< the filesystem is one that answers by itself, and was asked
  int trace = -1;                  ///< inotify's number of a directory or file of it
  std::uint64_t error_mark = 0;    ///< names its mark in ErrorGroups; 0: none
  std::string error_mark_missing;  ///< why there is no such mark
  std::optional<struct statfs> figures;
};

/// A superblock that is watched, and through which mounts: those of the watchers' namespaces.
struct WatchedSuperblock {
  Superblock superblock;
  ExaminedSuperblock examined;
  std::vector<std::shared_ptr<MountNamespace>> namespaces;
  /// How many of the watchers may have its server asked: others are over their limit.
  std::size_t probers = 0;

  /// A mount of it in this namespace, by its unique ID; nothing when there is none.
  [[nodiscard]] std::optional<std::uint64_t> mount_in(const MountNamespace& mounts) const;
  /// Takes note of such a mount, so that it need not be looked for.
  void note_mount(const MountNamespace& mounts, std::uint64_t mount);
  /// Adds what another examination found. Returns whether that is more than was known.
  bool learn(const ExaminedSuperblock& more);

 private:
  mutable std::unordered_map<std::uint64_t, std::uint64_t> mounts_;  // found last, by namespace
};

/// How a kind of event is seen on one superblock.
struct SuperblockSight {
  std::string kind;     ///< "readonly", "error", "edquot", "network", "space"
  std::string how;      ///< "event", "look", "probe"; empty when it cannot be seen
  std::string missing;  ///< why not, or why not better; empty when there is nothing to say
};

/// All on the serving thread, which none of this may block.
class SuperblockDetector {
 public:
  virtual ~SuperblockDetector() = default;

  /// From now on somebody watches the superblock, or does through another namespace too. What it is
  /// like at this moment is no event. The reference is good until unwatched().
  virtual void watched(const WatchedSuperblock& superblock) = 0;
  /// Nobody watches it any more, or it is gone.
  virtual void unwatched(std::uint64_t superblock) = 0;

  /// Takes what has been announced so far, as is done before a superblock goes.
  virtual void sync() {}

  /// All mounts of a namespace that is followed have been looked at: something may have changed, or
  /// the look interval is over.
  virtual void after_look(const MountNamespace& /*mounts*/) {}

  /// The troubles that a watched superblock has now, told as the events that would have told them.
  [[nodiscard]] virtual std::vector<SuperblockEvent> present(std::uint64_t /*superblock*/) const {
    return {};
  }
  /// How much room a watched superblock has, where this detector knows.
  [[nodiscard]] virtual std::optional<SpaceFigures> space(std::uint64_t /*superblock*/) const {
    return std::nullopt;
  }
  /// How this is seen of a watched superblock.
  [[nodiscard]] virtual std::vector<SuperblockSight> sights(std::uint64_t superblock) const = 0;
};

}  // namespace watchq
