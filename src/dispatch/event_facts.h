// SPDX-License-Identifier: MIT
// From events to facts: what a watcher is told in words.
#pragma once

#include <string>

#include "kernel/process_name.h"
#include "report/facts.h"
#include "source/event.h"
#include "source/superblock_detector.h"
#include "source/superblock_event.h"

namespace watchq {

/// Of a mount event. `root` is the watcher's root directory, from the namespace's root: paths are
/// told from there, and no others.
Facts facts_of_mount(const MountEvent& event, const MountNamespace& mounts,
                     const std::string& root);

/// Adds the process that did it.
void add_process(Facts& facts, NamedProcess& process);

/// Of a superblock, by the one of its mounts that the watcher knows it by: the one at its root with
/// the shortest path below the watcher's root.
Facts facts_of_superblock(const Superblock& superblock, const MountNamespace& mounts,
                          const std::string& root);

/// Adds whose quota it is.
void add_quota(Facts& facts, const SuperblockEvent& event);

}  // namespace watchq
