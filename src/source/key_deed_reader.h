// SPDX-License-Identifier: MIT
// KeyDeedReader: from what system calls did to what happened to which keys.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernel/key_deed.h"
#include "source/key_event.h"

namespace watchq {

/// Tells of a deed that names its keys by serial number and is one of the kinds of an event, or
/// `freed`.
void tell_deed(KeyBackendSink& sink, const KeyDeed& deed);

/// add_key(2) makes a key or updates the one that is there, and does not say which: so the links of
/// the watched keyrings are kept in mind. What cannot be told for sure is left to a comparison of
/// states. One thread.
class KeyDeedReader {
 public:
  /// Gives the key that the doer calls so, as KeyNames::resolve().
  using Resolve = std::function<std::optional<KeySerial>(const KeyDeed&, std::int32_t)>;
  KeyDeedReader(KeyBackendSink& sink, Resolve resolve)
      : sink_(sink), resolve_(std::move(resolve)) {}

  /// A key that is watched from now on, and what it is known to have links to: that was found out
  /// until the time `when`, of CLOCK_MONOTONIC in ns, so that later calls alone are judged by it.
  void watched(KeySerial key, const std::vector<KeySerial>& links, std::uint64_t when);
  void unwatched(KeySerial key) { watched_.erase(key); }
  /// More keys than can be kept in mind: watched() is to be called again for all.
  [[nodiscard]] bool is_full() const;
  /// Forgets all links.
  void forget() { known_.clear(); }

  void read(const KeyDeed& deed);

 private:
  void read_added(const KeyDeed& deed);
  void doubt(KeyEventKind kind, std::int32_t key, std::int32_t aux, const KeyDeed& deed);
  void tell(KeyEventKind kind, KeySerial key, std::int32_t aux, const KeyDeed& deed);

  KeyBackendSink& sink_;
  Resolve resolve_;
  std::unordered_set<KeySerial> watched_;
  // Keys that there are, and since when that is known: 0 for those that were seen to come.
  std::unordered_map<KeySerial, std::uint64_t> known_;
};

}  // namespace watchq
