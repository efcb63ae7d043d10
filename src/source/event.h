// SPDX-License-Identifier: MIT
// What sources tell: plain values, with no descriptors and no pointers in them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/mount_query.h"

namespace watchq {

class MountNamespace;

enum class MountEventKind { new_mount, unmount, expiry, readonly, setattr, move_from, move_to };

/// A mount on the way from the place of a change up to the namespace's root, and where in it that
/// way goes on: a path from the mount's own root, "/" for the root itself.
struct TrailStep {
  std::uint64_t mount = 0;  ///< unique ID
  std::string place;

  bool operator==(const TrailStep&) const = default;
};

struct MountEvent {
  static constexpr std::size_t kMostSteps = 64;

  MountEventKind kind{};
  MountInfo mount;                  ///< the mount that changed; only its IDs where no more is known
  std::uint32_t triggered_on = 0;   ///< mountinfo ID of the mount the change is accounted to
  std::uint32_t changed_mount = 0;  ///< mountinfo ID of the mount added, removed or moved, or 0
  bool now_readonly = false;
  bool recursive = false;  ///< of attributes: all below it changed alike at the same time
  bool submount = false;   ///< of a new mount: made by the kernel or an automounter
  pid_t pid = 0;           ///< the process that did it, 0 where not known
  /// From the mount the change is accounted to upwards.
  /// Somebody may nest mounts without end, for nothing but to keep us walking: of a way that is
  /// longer than kMostSteps there is no more, and `deep` says so.
  std::vector<TrailStep> trail;
  bool deep = false;
  /// Of what did not change its own place, but was carried along on a mount that moved: the way up
  /// from its other place. Those who see it there too know all by the move.
  std::vector<TrailStep> elsewhere;
};

/// Some events of a mount namespace were lost, and nobody knows how many.
struct MountLoss {
  std::uint64_t mount_namespace = 0;  ///< MountNamespace::id()
};

/// Where sources put what they see. Called on the serving thread.
class EventSink {
 public:
  virtual void on_event(const MountEvent& event) = 0;
  virtual void on_loss(const MountLoss& loss) = 0;
  /// Changes have been read, or whole listings are about to be compared: the last moment to tell a
  /// namespace of the renames before them. In listings they would look like moves.
  virtual void before_events() {}
  /// The changes that were read have been told, and what the source does next nobody waits for: who
  /// waits for them can be woken. Not called while a client's request is served.
  virtual void after_events() {}
  /// Whether a mount that has come or gone is to be followed by a look, although it has been told.
  [[nodiscard]] virtual bool wants_looks() const { return false; }
  /// All mounts of a namespace have been looked at, and what changed of them has been told.
  virtual void after_look(const MountNamespace& /*mounts*/) {}

 protected:
  ~EventSink() = default;
};

}  // namespace watchq
