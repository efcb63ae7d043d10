// SPDX-License-Identifier: MIT
#include "dispatch/superblock_reach.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "source/mount_table.h"
#include "source/network_detector.h"

namespace watchq {
namespace {

/// The mount that a directory is in, and those mounted at or below the directory.
std::vector<const Mount*> mounts_below(const MountTable& table, std::uint64_t mount,
                                       const std::string& directory) {
  std::vector<const Mount*> found;
  if (const Mount* first = table.find(mount)) found.push_back(first);
  for (std::size_t at = 0; at < found.size(); ++at) {
    for (const std::uint64_t child : table.children(found[at]->info.mount)) {
      const Mount* on_it = table.find(child);
      if (on_it == nullptr || (at == 0 && !is_at_or_below(on_it->place, directory))) continue;
      // The root of all is mounted on itself.
      if (child != found[at]->info.mount) found.push_back(on_it);
    }
  }
  return found;
}

}  // namespace

ReachWatch* SuperblockReach::find(const Recipient& queue, std::uint64_t mount,
                                  const std::string& directory) {
  const auto found = std::find_if(watches_.begin(), watches_.end(), [&](const ReachWatch& watch) {
    return watch.as.queue == &queue && watch.mount == mount && watch.directory == directory;
  });
  return found == watches_.end() ? nullptr : &*found;
}

ReachWatch& SuperblockReach::add(ReachWatch watch) {
  ReachWatch& added = watches_.emplace_back(std::move(watch));
  update(added);
  return added;
}

void SuperblockReach::remove(const ReachWatch& watch) {
  leave_all(watch);
  watches_.remove_if([&](const ReachWatch& other) { return &other == &watch; });
}

void SuperblockReach::remove_queue(const Recipient& queue) {
  for (const ReachWatch& watch : watches_) {
    if (watch.as.queue == &queue) leave_all(watch);
  }
  watches_.remove_if([&](const ReachWatch& watch) { return watch.as.queue == &queue; });
}

void SuperblockReach::leave_all(const ReachWatch& watch) {
  for (const std::uint64_t superblock : watch.superblocks) leave(watch, superblock);
}

void SuperblockReach::leave(const ReachWatch& watch, std::uint64_t superblock) {
  superblocks_.unwatch(superblock, *watch.as.mounts, watch.probes.contains(superblock));
}

bool SuperblockReach::may_probe(ReachWatch& watch, std::uint64_t superblock, const Mount& mount) {
  if (!has_server(mount.info.fs_type)) return false;
  try {
    watch.probes.insert_or_assign(superblock, probe_limit_.take(watch.as.queue->owner(), 1));
    return true;
  } catch (const RequestError&) {
    return false;
  }
}

void SuperblockReach::after_look(const MountNamespace& mounts) {
  if (!stale_) return;
  bool others = false;
  for (ReachWatch& watch : watches_) {
    if (watch.as.mounts.get() == &mounts) {
      update(watch);
    } else {
      others = true;
    }
  }
  stale_ = others;
}

void SuperblockReach::update(ReachWatch& watch) {
  const MountNamespace& mounts = *watch.as.mounts;
  std::unordered_map<std::uint64_t, const Mount*> now;
  for (const Mount* mount : mounts_below(mounts.table(), watch.mount, watch.directory)) {
    now.emplace(superblocks_.identify(mounts, *mount).id, mount);
  }
  std::erase_if(watch.superblocks, [&](std::uint64_t superblock) {
    if (now.contains(superblock)) return false;
    leave(watch, superblock);
    watch.probes.erase(superblock);
    return true;
  });
  for (const auto& [superblock, mount] : now) {
    if (!watch.superblocks.contains(superblock)) begin(watch, superblock, *mount);
  }
}

void SuperblockReach::begin(ReachWatch& watch, std::uint64_t superblock, const Mount& mount) {
  ExaminedSuperblock not_yet;
  not_yet.error_mark_missing = "not examined yet";
  const bool probed = may_probe(watch, superblock, mount);
  superblocks_.watch(superblock, watch.as.mounts, mount.info.mount, not_yet, probed);
  watch.superblocks.insert(superblock);
  const WatchedSuperblock* watched = superblocks_.find(superblock);
  if (watched == nullptr || watched->examined.done) return;
  scout_.examine(watch.as.mounts, mount.info,
                 [this, superblock](const ExaminedSuperblock& examined) {
                   superblocks_.learn(superblock, examined);
                 });
}

void SuperblockReach::forget(std::uint64_t superblock) {
  for (ReachWatch& watch : watches_) {
    watch.superblocks.erase(superblock);
    watch.probes.erase(superblock);
  }
}

void SuperblockReach::for_each(std::uint64_t superblock,
                               const std::function<void(const ReachWatch&)>& visit) const {
  for (const ReachWatch& watch : watches_) {
    if (superblock == 0 || watch.superblocks.contains(superblock)) visit(watch);
  }
}

}  // namespace watchq
