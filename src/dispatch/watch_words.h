// SPDX-License-Identifier: MIT
// What a watch is, for people.
#pragma once

#include <string>

#include "dispatch/key_watch_list.h"
#include "dispatch/mount_watch_list.h"
#include "dispatch/superblock_reach.h"
#include "dispatch/superblock_watch_list.h"

namespace watchq {

/// "mounts at and below /srv, mount 65, tag 1, with details". Paths are the watcher's.
std::string words_of(const MountWatch& watch);
std::string words_of(const SuperblockWatch& watch);
std::string words_of(const ReachWatch& watch);
std::string words_of(const KeyWatch& watch);

}  // namespace watchq
