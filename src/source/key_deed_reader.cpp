// SPDX-License-Identifier: MIT
#include "source/key_deed_reader.h"

#include <cstddef>

namespace watchq {
namespace {

constexpr std::size_t kMostKnown = 1 << 20;

}  // namespace

void tell_deed(KeyBackendSink& sink, const KeyDeed& deed) {
  if (deed.kind == KeyDeedKind::freed) return sink.on_key_gone(deed.key);
  sink.on_key_event({static_cast<KeyEventKind>(deed.kind), deed.key,
                     static_cast<std::uint32_t>(deed.aux), deed.process});
}

void KeyDeedReader::watched(KeySerial key, const std::vector<KeySerial>& links,
                            std::uint64_t when) {
  watched_.insert(key);
  known_.try_emplace(key, when);
  for (const KeySerial link : links) known_.try_emplace(link, when);
}

bool KeyDeedReader::is_full() const { return known_.size() > kMostKnown; }

void KeyDeedReader::tell(KeyEventKind kind, KeySerial key, std::int32_t aux, const KeyDeed& deed) {
  sink_.on_key_event({kind, key, static_cast<std::uint32_t>(aux), deed.process});
}

void KeyDeedReader::doubt(KeyEventKind kind, std::int32_t key, std::int32_t aux,
                          const KeyDeed& deed) {
  const auto known = [](std::int32_t number) { return number > 0 ? number : 0; };
  sink_.on_key_doubt({kind, known(key), static_cast<std::uint32_t>(known(aux)), deed.process});
}

void KeyDeedReader::read_added(const KeyDeed& deed) {
  const KeySerial key = deed.aux;
  const auto keyring = resolve_(deed, deed.key);
  if (const auto known = known_.find(key); known != known_.end()) {
    // It may have been made after its keyring was looked at, or just before.
    if (deed.began <= known->second) return doubt(KeyEventKind::linked, deed.key, key, deed);
    return tell(KeyEventKind::updated, key, 0, deed);
  }
  if (!keyring || watched_.contains(*keyring)) known_[key] = 0;
  if (!keyring) return doubt(KeyEventKind::linked, 0, key, deed);
  tell(KeyEventKind::linked, *keyring, key, deed);
}

void KeyDeedReader::read(const KeyDeed& deed) {
  if (deed.kind == KeyDeedKind::added) return read_added(deed);
  if (deed.kind == KeyDeedKind::named) return;
  if (deed.kind == KeyDeedKind::uncertain) return doubt(KeyEventKind::linked, 0, 0, deed);
  if (deed.kind == KeyDeedKind::freed) {
    known_.erase(deed.key);
    return tell_deed(sink_, deed);
  }
  const bool links = deed.kind == KeyDeedKind::linked || deed.kind == KeyDeedKind::unlinked;
  const auto key = resolve_(deed, deed.key);
  const auto aux = links ? resolve_(deed, deed.aux) : std::optional(deed.aux);
  if (links && aux && (!key || watched_.contains(*key))) known_.try_emplace(*aux, 0);
  const auto kind = static_cast<KeyEventKind>(deed.kind);
  if (!key || !aux) return doubt(kind, key.value_or(0), aux.value_or(0), deed);
  tell(kind, *key, *aux, deed);
}

}  // namespace watchq
