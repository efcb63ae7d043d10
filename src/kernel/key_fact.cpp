// SPDX-License-Identifier: MIT
#include "bpf/key_fact.h"

#include <cstring>

#include "kernel/key_bpf.h"

namespace watchq {

static_assert(static_cast<int>(KeyDeedKind::setattr) == WATCHQ_KEY_SETATTR);
static_assert(static_cast<int>(KeyDeedKind::freed) == WATCHQ_KEY_FREED);

std::optional<KeyDeed> decode_key_fact(std::span<const std::byte> record) {
  WatchqKeyFact fact{};
  if (record.size() < sizeof fact) return std::nullopt;
  std::memcpy(&fact, record.data(), sizeof fact);
  if (fact.kind > WATCHQ_KEY_FREED) return std::nullopt;
  KeyDeed deed;
  deed.kind = static_cast<KeyDeedKind>(fact.kind);
  deed.key = fact.key;
  deed.aux = fact.aux;
  deed.process = static_cast<pid_t>(fact.pid);
  return deed;
}

}  // namespace watchq
