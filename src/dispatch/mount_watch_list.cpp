// SPDX-License-Identifier: MIT
#include "dispatch/mount_watch_list.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace watchq {
namespace {

bool is_watch(const MountWatch& watch, const Recipient& queue, const std::string& directory) {
  return watch.queue == &queue && watch.directory == directory;
}

}  // namespace

const MountWatch* MountWatchList::find(const Recipient& queue, std::uint64_t mount,
                                       const std::string& directory) const {
  for (const MountWatch& watch : on_mount(mount)) {
    if (is_watch(watch, queue, directory)) return &watch;
  }
  return nullptr;
}

void MountWatchList::put(MountWatch watch) {
  remove(*watch.queue, watch.mount, watch.directory);
  by_queue_.emplace(watch.queue, watch.mount);
  by_mount_[watch.mount].push_back(std::move(watch));
  ++size_;
}

bool MountWatchList::remove(const Recipient& queue, std::uint64_t mount,
                            const std::string& directory) {
  return erase_if(mount,
                  [&](const MountWatch& watch) { return is_watch(watch, queue, directory); }) != 0;
}

void MountWatchList::set_directory(const MountWatch& watch, const std::string& directory) {
  for (MountWatch& listed : by_mount_[watch.mount]) {
    if (is_watch(listed, *watch.queue, watch.directory)) {
      listed.directory = directory;
      return;
    }
  }
}

void MountWatchList::remove_queue(const Recipient& queue) {
  for (auto entry = by_queue_.find(&queue); entry != by_queue_.end();
       entry = by_queue_.find(&queue)) {
    erase_if(entry->second, [&](const MountWatch& watch) { return watch.queue == &queue; });
  }
}

std::vector<MountWatch> MountWatchList::take_mount(std::uint64_t mount) {
  std::vector<MountWatch> taken = on_mount(mount);
  erase_if(mount, [](const MountWatch&) { return true; });
  return taken;
}

const std::vector<MountWatch>& MountWatchList::on_mount(std::uint64_t mount) const {
  static const std::vector<MountWatch> kNone;
  const auto entry = by_mount_.find(mount);
  return entry == by_mount_.end() ? kNone : entry->second;
}

std::vector<const MountWatch*> MountWatchList::of_queue(const Recipient& queue) const {
  std::unordered_set<std::uint64_t> mounts;
  const auto [first, last] = by_queue_.equal_range(&queue);
  for (auto entry = first; entry != last; ++entry) mounts.insert(entry->second);
  std::vector<const MountWatch*> watches;
  for (const std::uint64_t mount : mounts) {
    for (const MountWatch& watch : on_mount(mount)) {
      if (watch.queue == &queue) watches.push_back(&watch);
    }
  }
  return watches;
}

void MountWatchList::for_each(const std::function<void(const MountWatch&)>& visit) const {
  for (const auto& [mount, watches] : by_mount_) {
    for (const MountWatch& watch : watches) visit(watch);
  }
}

std::size_t MountWatchList::erase_if(std::uint64_t mount,
                                     const std::function<bool(const MountWatch&)>& match) {
  const auto entry = by_mount_.find(mount);
  if (entry == by_mount_.end()) return 0;
  const std::size_t erased = std::erase_if(entry->second, [&](const MountWatch& watch) {
    if (!match(watch)) return false;
    const auto [first, last] = by_queue_.equal_range(watch.queue);
    by_queue_.erase(std::find_if(first, last, [&](const auto& of) { return of.second == mount; }));
    return true;
  });
  if (entry->second.empty()) by_mount_.erase(entry);
  size_ -= erased;
  return erased;
}

}  // namespace watchq
