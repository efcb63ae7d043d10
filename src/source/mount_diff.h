// SPDX-License-Identifier: MIT
// What happened between two looks at the mounts of a namespace. Pure.
#pragma once

#include <vector>

#include "source/event.h"
#include "source/mount_table.h"

namespace watchq {

/// What it means that a mount lies at another place of the same parent: mounts are moved, and
/// directories above them are renamed, and the tables show both alike.
enum class PlaceChange { is_move, is_rename };

/// The events that lead from one table to the other: what leaves its place (unmounts, moves away)
/// from below, then what comes to one (moves, new mounts) from above, then attributes.
std::vector<MountEvent> mount_diff(const MountTable& before, const MountTable& after,
                                   PlaceChange change = PlaceChange::is_move);

}  // namespace watchq
