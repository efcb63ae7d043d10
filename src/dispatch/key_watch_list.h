// SPDX-License-Identifier: MIT
// KeyWatchList: which watches a key has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/user_limit.h"
#include "queue/recipient.h"
#include "source/key_event.h"
#include "source/key_look.h"

namespace watchq {

/// An event that waits for a look, and how many of its key there were with it.
struct HeldKeyEvent {
  KeyEvent event;
  std::uint64_t number = 0;
};

/// A key that belongs to a watch: the watched one, or one linked below it.
struct KeyMember {
  /// Whether the watcher may view it. What depends on what it possesses is not known until the next
  /// look, once the key's attributes have changed.
  enum class Viewable { no, yes, unknown };
  Viewable viewable = Viewable::unknown;
  bool possessed = false;                         ///< it is viewable for its possessor only
  std::shared_ptr<const UserLimit::Share> share;  ///< what the queue's owner pays for it
  bool looked = false;                            ///< the watcher has looked at it once
  std::vector<HeldKeyEvent> held;                 ///< what is to be told if it is viewable
};

/// A key or keyring, watched by a queue.
struct KeyWatch {
  Recipient* queue = nullptr;
  KeySerial key = 0;
  std::uint8_t tag = 0;
  bool detail = false;     ///< each record is followed by one that explains it
  bool children = false;   ///< also the keys linked below
  bool sees_pids = false;  ///< the watcher knows processes by our numbers
  std::shared_ptr<const KeyWatcher> watcher;
  std::map<KeySerial, KeyMember> members;  ///< the key itself among them
  /// What the watcher says is linked in keyrings that we cannot read, kept up to date by events.
  std::map<KeySerial, std::set<KeySerial>> told_links;
};

/// Owns the watches, and finds them by their members. One thread.
class KeyWatchList {
 public:
  /// The queue's watch of this very key; null when there is none.
  [[nodiscard]] KeyWatch* find(const Recipient& queue, KeySerial key) const;
  /// Its first member is the key itself.
  KeyWatch& add(KeyWatch watch);
  void remove(const KeyWatch& watch);

  void add_member(KeyWatch& watch, KeySerial key);
  void remove_member(KeyWatch& watch, KeySerial key);

  /// A copy: telling an event may change who watches what. Those that are there still are found by
  /// holds().
  [[nodiscard]] std::vector<KeyWatch*> with_member(KeySerial key) const;
  [[nodiscard]] bool holds(const KeyWatch* watch) const;
  [[nodiscard]] std::vector<KeyWatch*> of_queue(const Recipient& queue) const;
  [[nodiscard]] std::vector<KeyWatch*> all() const;
  [[nodiscard]] std::size_t size() const { return watches_.size(); }

 private:
  std::unordered_map<const KeyWatch*, std::unique_ptr<KeyWatch>> watches_;
  std::unordered_multimap<KeySerial, KeyWatch*> by_member_;
  std::unordered_multimap<const Recipient*, KeyWatch*> by_queue_;
};

}  // namespace watchq
