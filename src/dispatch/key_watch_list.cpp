// SPDX-License-Identifier: MIT
#include "dispatch/key_watch_list.h"

#include <algorithm>
#include <utility>

namespace watchq {
namespace {

template <typename Map, typename Key>
void erase_one(Map& map, const Key& key, const KeyWatch* watch) {
  const auto [first, last] = map.equal_range(key);
  const auto found =
      std::find_if(first, last, [&](const auto& entry) { return entry.second == watch; });
  if (found != last) map.erase(found);
}

template <typename Map, typename Key>
std::vector<KeyWatch*> all_of(const Map& map, const Key& key) {
  std::vector<KeyWatch*> watches;
  const auto [first, last] = map.equal_range(key);
  for (auto entry = first; entry != last; ++entry) watches.push_back(entry->second);
  return watches;
}

}  // namespace

KeyWatch* KeyWatchList::find(const Recipient& queue, KeySerial key) const {
  for (KeyWatch* watch : of_queue(queue)) {
    if (watch->key == key) return watch;
  }
  return nullptr;
}

KeyWatch& KeyWatchList::add(KeyWatch watch) {
  auto owned = std::make_unique<KeyWatch>(std::move(watch));
  KeyWatch& added = *owned;
  watches_.emplace(&added, std::move(owned));
  by_queue_.emplace(added.queue, &added);
  add_member(added, added.key);
  return added;
}

void KeyWatchList::remove(const KeyWatch& watch) {
  for (const auto& [key, member] : watch.members) erase_one(by_member_, key, &watch);
  erase_one(by_queue_, watch.queue, &watch);
  watches_.erase(&watch);
}

void KeyWatchList::add_member(KeyWatch& watch, KeySerial key) {
  if (watch.members.try_emplace(key).second) by_member_.emplace(key, &watch);
}

void KeyWatchList::remove_member(KeyWatch& watch, KeySerial key) {
  if (watch.members.erase(key) != 0) erase_one(by_member_, key, &watch);
}

std::vector<KeyWatch*> KeyWatchList::with_member(KeySerial key) const {
  return all_of(by_member_, key);
}

bool KeyWatchList::holds(const KeyWatch* watch) const { return watches_.contains(watch); }

std::vector<KeyWatch*> KeyWatchList::of_queue(const Recipient& queue) const {
  return all_of(by_queue_, &queue);
}

std::vector<KeyWatch*> KeyWatchList::all() const {
  std::vector<KeyWatch*> watches;
  for (const auto& [watch, owned] : watches_) watches.push_back(owned.get());
  return watches;
}

}  // namespace watchq
