// SPDX-License-Identifier: MIT
#include "dispatch/superblock_watch_list.h"

#include <algorithm>
#include <utility>

namespace watchq {

const SuperblockWatch* SuperblockWatchList::find(const Recipient& queue,
                                                 std::uint64_t superblock) const {
  for (const SuperblockWatch& watch : on(superblock)) {
    if (watch.queue == &queue) return &watch;
  }
  return nullptr;
}

void SuperblockWatchList::add(SuperblockWatch watch) {
  by_queue_.emplace(watch.queue, watch.superblock);
  by_superblock_[watch.superblock].push_back(std::move(watch));
  ++size_;
}

SuperblockWatch SuperblockWatchList::take(const Recipient& queue, std::uint64_t superblock) {
  const auto all = by_superblock_.find(superblock);
  auto& watches = all->second;
  const auto found = std::find_if(watches.begin(), watches.end(),
                                  [&](const auto& watch) { return watch.queue == &queue; });
  SuperblockWatch taken = std::move(*found);
  watches.erase(found);
  if (watches.empty()) by_superblock_.erase(all);
  const auto [first, last] = by_queue_.equal_range(&queue);
  by_queue_.erase(
      std::find_if(first, last, [&](const auto& entry) { return entry.second == superblock; }));
  --size_;
  return taken;
}

std::vector<SuperblockWatch> SuperblockWatchList::take_queue(const Recipient& queue) {
  std::vector<std::uint64_t> superblocks;
  const auto [first, last] = by_queue_.equal_range(&queue);
  for (auto entry = first; entry != last; ++entry) superblocks.push_back(entry->second);
  std::vector<SuperblockWatch> taken;
  taken.reserve(superblocks.size());
  for (const std::uint64_t superblock : superblocks) taken.push_back(take(queue, superblock));
  return taken;
}

std::vector<SuperblockWatch> SuperblockWatchList::take_superblock(std::uint64_t superblock) {
  std::vector<SuperblockWatch> taken;
  while (!on(superblock).empty()) taken.push_back(take(*on(superblock).front().queue, superblock));
  return taken;
}

const std::vector<SuperblockWatch>& SuperblockWatchList::on(std::uint64_t superblock) const {
  static const std::vector<SuperblockWatch> kNone;
  const auto found = by_superblock_.find(superblock);
  return found == by_superblock_.end() ? kNone : found->second;
}

std::vector<const SuperblockWatch*> SuperblockWatchList::of_queue(const Recipient& queue) const {
  std::vector<const SuperblockWatch*> watches;
  const auto [first, last] = by_queue_.equal_range(&queue);
  for (auto entry = first; entry != last; ++entry) watches.push_back(find(queue, entry->second));
  return watches;
}

void SuperblockWatchList::for_each(const std::function<void(const SuperblockWatch&)>& visit) const {
  for (const auto& [superblock, watches] : by_superblock_) {
    for (const SuperblockWatch& watch : watches) visit(watch);
  }
}

}  // namespace watchq
