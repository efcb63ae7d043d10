// SPDX-License-Identifier: MIT
// KeyDispatcher: which queue gets which event of a key.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/user_limit.h"
#include "dispatch/key_watch_list.h"
#include "kernel/peer.h"
#include "source/key_source.h"

namespace watchq {

/// Checks what of a request to watch a key can be checked by itself. Throws RequestError(EINVAL).
void check_key_watch(const watchq_keyring_watch& asked);

/// What was found out of a key that is to be watched, on a thread that may wait, while the caller
/// waits. A value.
struct ExaminedKey {
  std::shared_ptr<const KeyWatcher> watcher;
  KeyLook look;
  std::map<KeySerial, KeyLook> below;  ///< of what is linked below, where that is asked for
  /// What the caller says is linked, by keyring: of those that it could read.
  std::map<KeySerial, std::set<KeySerial>> told_links;
  bool sees_pids = false;
};

/// Looks at the key in the caller's eyes. `rights` are those of its request. For patient threads.
/// Throws RequestError: EBADF or EINVAL for a view that is none.
ExaminedKey examine_key(const Peer& caller, const KeyRights& rights, const watchq_key_watch& asked,
                        std::map<KeySerial, std::set<KeySerial>> told_links);

/// Looks at all keys that a user may view by these IDs, and at what is linked where it may read.
/// For patient threads.
std::vector<ExaminedKey> examine_visible_keys(const Peer& caller, const KeyRights& rights);

/// Holds the watches of keys, and writes to their queues what the source tells. One thread.
///
/// For each event the kernel is asked again whether the watcher may view the key by its IDs. What
/// it may view as the key's possessor alone is looked at again when the key's attributes have
/// changed; until then its events are held back. Those before its attributes changed once more are
/// lost then, which is told: nobody knows whether it could be viewed between the two.
class KeyDispatcher final : public KeySink {
 public:
  /// How deep below a watched keyring, and how many keys, a watch extends.
  static constexpr std::size_t kMaxDepth = 6;
  static constexpr std::size_t kMaxMembers = 4096;
  /// How many events of one key are held back.
  static constexpr std::size_t kMaxHeld = 1024;

  /// Both outlive this. Each key that belongs to a watch counts as a watch.
  KeyDispatcher(KeySource& keys, UserLimit& watch_limit);
  KeyDispatcher(const KeyDispatcher&) = delete;
  KeyDispatcher& operator=(const KeyDispatcher&) = delete;

  /// Whether the queue watches this key: then it can be removed whoever may view it.
  [[nodiscard]] bool watches(const Recipient& queue, KeySerial key) const {
    return list_.find(queue, key) != nullptr;
  }

  /// Sets or removes the watch that the caller asks for. Throws RequestError: what the kernel says
  /// of the key (EACCES, ENOKEY, EKEYREVOKED, EKEYEXPIRED, or why a negative key was rejected),
  /// EBUSY, EBADSLT, EINVAL for WATCHQ_CHILDREN of what is no keyring, EACCES for WATCHQ_SNAPSHOT
  /// of a keyring that nobody could read, EOPNOTSUPP, ENOSPC at a limit.
  void watch(Recipient& queue, const watchq_key_watch& request, const ExaminedKey& examined);
  /// Watches these keys and, where they are keyrings, what is linked below them, in detail. What
  /// cannot be watched is left out; at a limit the recipient is told that something is missed.
  void watch_all(Recipient& recipient, const std::vector<ExaminedKey>& keys);
  /// Removes a watch that is there.
  void unwatch(const Recipient& queue, KeySerial key);
  /// Forgets a queue that is about to go.
  void drop(const Recipient& queue);

  /// Adds what a queue watches, a text for each watch.
  void describe_watches(const Recipient& queue, std::vector<std::string>& texts) const;

  [[nodiscard]] std::size_t watches() const { return list_.size(); }

  void on_key_event(const KeyEvent& event) override;
  void on_key_gone(KeySerial key) override;
  void on_key_loss() override;
  void on_key_looked(const KeyWatcher& watcher, const KeyLook& look, std::uint64_t events) override;

 private:
  void end(const KeyWatch& watch);
  void offer(KeyWatch& watch, const KeyEvent& event);
  void tell(const KeyWatch& watch, const KeyEvent& event) const;
  /// Tells what is held of a member's first `events` events, or not.
  void release(KeyWatch& watch, KeyMember& member, std::uint64_t events, bool is_viewable) const;
  void tell_snapshot(const KeyWatch& watch) const;
  /// Asks the kernel by the watcher's IDs, and what is known of its possession.
  static KeyMember::Viewable ask(const KeyWatch& watch, KeySerial key, KeyMember& member);
  /// What is linked in a keyring, as far as the watch may know; null when nobody knows.
  [[nodiscard]] const std::set<KeySerial>* links_of(const KeyWatch& watch, KeySerial keyring) const;
  static void follow_told_links(KeyWatch& watch, const KeyEvent& event);
  /// Takes in what is linked below by now, and lets go what is not. `looks`: of a moment ago, where
  /// there are some.
  void extend(KeyWatch& watch, const std::map<KeySerial, KeyLook>& looks = {});
  void take_in(KeyWatch& watch, KeySerial key, const std::map<KeySerial, KeyLook>& looks);

  KeySource& keys_;
  UserLimit& watch_limit_;
  KeyWatchList list_;
};

}  // namespace watchq
