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

/// The events that tell how one mount's attributes changed: none, one or two.
std::vector<MountEvent> attribute_events(const MountTable& table, const MountInfo& before,
                                         const MountInfo& now);

/// Puts the attribute events of one look in order from above, and marks those that stand for a
/// whole tree: each mount below changed in the same way.
void finish_attribute_events(const MountTable& table, std::vector<MountEvent>& events);

/// Whether a mount is one that an automounter put there and takes away when nobody uses it.
bool is_automounted(const MountTable& table, const Mount& mount);

/// Something happened to a mount that was gone before it could be looked at: somewhere below the
/// namespace's root, accounted to no mount. `mount` has the IDs that are known.
MountEvent unplaced_event(MountEventKind kind, const MountTable& table, const MountInfo& mount,
                          pid_t pid);

}  // namespace watchq
