// SPDX-License-Identifier: MIT
// How a change of a table becomes an event. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "source/event.h"
#include "source/mount_table.h"

namespace watchq {

/// What happened to a mount of the table: to one that is there or, for what removes it from where
/// it is, still is.
MountEvent mount_event(MountEventKind kind, const MountTable& table, const Mount& mount,
                       pid_t pid = 0);

/// What is mounted at or below a directory of a mount, told as if it had just come: each mount
/// after the one it is on. `directory` is a path from the mount's root.
std::vector<MountEvent> snapshot_events(const MountTable& table, std::uint64_t mount,
                                        const std::string& directory);

/// The same kind of event, an unmount or a new mount, for each mount on a mount that moves: from
/// above, and in the same order before and after the move.
std::vector<MountEvent> carried_events(MountEventKind kind, const MountTable& table,
                                       std::uint64_t mount, pid_t pid);

/// Makes of an unmount and a new mount what is told of a mount that was carried along on another,
/// which moved: each to those who do not see it at the other place.
void pair_as_carried(MountEvent& left, MountEvent& come);

/// The events that tell how one mount's attributes changed: none, one or two.
std::vector<MountEvent> attribute_events(const MountTable& table, const MountInfo& before,
                                         const MountInfo& now);

/// Puts the attribute events of one look in order from above, and marks those that stand for a
/// whole tree: each mount below changed in the same way.
void finish_attribute_events(const MountTable& table, std::vector<MountEvent>& events);

/// Whether a mount is one that the kernel or an automounter puts where it is.
bool is_submount(const MountTable& table, const Mount& mount);

/// Whether a mount is on an automounter's, which takes it away when nobody uses it.
bool is_automounted(const MountTable& table, const Mount& mount);

/// Something happened to a mount that was gone before it could be looked at: somewhere below the
/// namespace's root, accounted to no mount. `mount` has the IDs that are known.
MountEvent unplaced_event(MountEventKind kind, const MountTable& table, const MountInfo& mount,
                          pid_t pid);

}  // namespace watchq
