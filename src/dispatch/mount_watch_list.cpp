// SPDX-License-Identifier: MIT
#include "dispatch/mount_watch_list.h"

#include <algorithm>
#include <utility>

namespace watchq {
namespace {

/// The queue's watch among those of one directory.
template <typename Watches>
auto watch_of(Watches& watches, const Recipient& queue) {
  return std::find_if(watches.begin(), watches.end(),
                      [&](const MountWatch& watch) { return watch.queue == &queue; });
}

bool came_before(const MountWatch* a, const MountWatch* b) { return a->order < b->order; }

}  // namespace

const MountWatch* MountWatchList::find(const Recipient& queue, std::uint64_t mount,
                                       const std::string& directory) const {
  const OfDirectory* watches = at(mount, directory);
  if (watches == nullptr) return nullptr;
  const auto watch = watch_of(*watches, queue);
  return watch == watches->end() ? nullptr : &*watch;
}

void MountWatchList::put(MountWatch watch) {
  remove(*watch.queue, watch.mount, watch.directory);
  watch.order = next_order_++;
  add(std::move(watch));
}

bool MountWatchList::remove(const Recipient& queue, std::uint64_t mount,
                            const std::string& directory) {
  const MountWatch* watch = find(queue, mount, directory);
  return watch != nullptr && take(*watch);
}

void MountWatchList::set_directory(const MountWatch& watch, const std::string& directory) {
  auto moved = take(watch);
  if (!moved) return;
  moved->directory = directory;
  add(*std::move(moved));
}

void MountWatchList::remove_queue(const Recipient& queue) {
  const auto entry = by_queue_.find(&queue);
  if (entry == by_queue_.end()) return;
  const auto places = entry->second;  // a copy: what is taken leaves it
  for (const auto& [mount, directory] : places) remove(queue, mount, directory);
}

std::vector<MountWatch> MountWatchList::take_mount(std::uint64_t mount) {
  std::vector<MountWatch> taken;
  for (const MountWatch* watch : on_mount(mount)) taken.push_back(*watch);
  for (const MountWatch& watch : taken) take(watch);
  return taken;
}

MountWatchList::Found MountWatchList::on_mount(std::uint64_t mount) const {
  Found found;
  const auto entry = by_mount_.find(mount);
  if (entry == by_mount_.end()) return found;
  for (const auto& [directory, watches] : entry->second) {
    for (const MountWatch& watch : watches) found.push_back(&watch);
  }
  std::sort(found.begin(), found.end(), came_before);
  return found;
}

MountWatchList::Found MountWatchList::at_or_above(std::uint64_t mount,
                                                  const std::string& place) const {
  Found found;
  const auto entry = by_mount_.find(mount);
  if (entry == by_mount_.end()) return found;
  int directories = 0;
  for (std::string_view directory = place;;) {
    if (const auto watches = entry->second.find(directory); watches != entry->second.end()) {
      ++directories;
      for (const MountWatch& watch : watches->second) found.push_back(&watch);
    }
    if (directory.size() <= 1) break;
    directory = directory.substr(0, std::max<std::size_t>(directory.rfind('/'), 1));
  }
  // Those of one directory are in order.
  if (directories > 1) std::sort(found.begin(), found.end(), came_before);
  return found;
}

void MountWatchList::for_each(const std::function<void(const MountWatch&)>& visit) const {
  for (const auto& [mount, directories] : by_mount_) {
    for (const auto& [directory, watches] : directories) {
      for (const MountWatch& watch : watches) visit(watch);
    }
  }
}

MountWatchList::Found MountWatchList::of_queue(const Recipient& queue) const {
  Found found;
  const auto entry = by_queue_.find(&queue);
  if (entry == by_queue_.end()) return found;
  const std::set places(entry->second.begin(), entry->second.end());
  for (const auto& [mount, directory] : places) {
    for (const MountWatch& watch : *at(mount, directory)) {
      if (watch.queue == &queue) found.push_back(&watch);
    }
  }
  return found;
}

const MountWatchList::OfDirectory* MountWatchList::at(std::uint64_t mount,
                                                      const std::string& directory) const {
  const auto of_mount = by_mount_.find(mount);
  if (of_mount == by_mount_.end()) return nullptr;
  const auto watches = of_mount->second.find(directory);
  return watches == of_mount->second.end() ? nullptr : &watches->second;
}

std::optional<MountWatch> MountWatchList::take(const MountWatch& watch) {
  const std::pair place(watch.mount, watch.directory);  // `watch` may be the one that goes
  const auto of_mount = by_mount_.find(place.first);
  if (of_mount == by_mount_.end()) return std::nullopt;
  const auto watches = of_mount->second.find(place.second);
  if (watches == of_mount->second.end()) return std::nullopt;
  const auto found =
      std::find_if(watches->second.begin(), watches->second.end(),
                   [&](const MountWatch& listed) { return listed.order == watch.order; });
  if (found == watches->second.end()) return std::nullopt;
  MountWatch taken = std::move(*found);
  watches->second.erase(found);
  if (watches->second.empty()) of_mount->second.erase(watches);
  if (of_mount->second.empty()) by_mount_.erase(of_mount);
  const auto entry = by_queue_.find(taken.queue);
  entry->second.erase(entry->second.find(place));
  if (entry->second.empty()) by_queue_.erase(entry);
  --size_;
  return taken;
}

void MountWatchList::add(MountWatch watch) {
  by_queue_[watch.queue].emplace(watch.mount, watch.directory);
  OfDirectory& watches = by_mount_[watch.mount][watch.directory];
  // In order also when one comes here by a rename.
  const auto after =
      std::upper_bound(watches.begin(), watches.end(), watch,
                       [](const MountWatch& a, const MountWatch& b) { return a.order < b.order; });
  watches.insert(after, std::move(watch));
  ++size_;
}

}  // namespace watchq
