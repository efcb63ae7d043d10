// SPDX-License-Identifier: MIT
#include "source/key_look.h"

#include <algorithm>
#include <cerrno>

namespace watchq {
namespace {

KeyState::Life life_of(int error) {
  switch (error) {
    case ENOKEY:
      return KeyState::Life::gone;
    case EKEYREVOKED:
      return KeyState::Life::revoked;
    case EKEYEXPIRED:
      return KeyState::Life::expired;
    default:
      return KeyState::Life::alive;
  }
}

/// With the watcher's IDs. `line`: of this key, null where it is not shown.
void look_by_ids(KeyLook& look, const KeyLine* line) {
  KeyDescription described;
  look.error = describe_key(look.key, described);
  look.state.life = life_of(look.error);
  if (look.error != 0) return;
  look.state.described = std::move(described);
  // Who reads a key that is under construction waits for that, for as long as its maker likes.
  if (line == nullptr || !line->instantiated) return;
  if (look.state.is_keyring()) {
    std::vector<KeySerial> links;
    if (keyring_links(look.key, links) != 0) return;
    look.state.links.emplace(links.begin(), links.end());
    look.state.count = links.size();
    return;
  }
  std::size_t length = 0;
  const int error = key_length(look.key, length);
  if (error == 0) look.state.length = length;
  // A negative key is not read, but says with which error it was rejected.
  if (line->negative) look.state.rejected = static_cast<std::uint32_t>(error);
}

/// The kernel lists keys in the order of their serials.
template <typename List>
auto* find(List& list, KeySerial key) {
  const auto found = std::lower_bound(list.begin(), list.end(), key,
                                      [](const auto& one, KeySerial of) { return one.key < of; });
  return found == list.end() || found->key != key ? nullptr : &*found;
}

}  // namespace

std::vector<KeyLook> look_at_keys(const KeyWatcher& watcher, const std::vector<KeySerial>& keys) {
  std::vector<KeyLook> looks(keys.size());
  const auto when = KeyState::Clock::now();
  {
    const BorrowedIds ids(watcher.rights);
    const std::vector<KeyLine> lines = visible_lines(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      looks[i].key = keys[i];
      looks[i].when = when;
      const KeyLine* line = find(lines, keys[i]);
      look_by_ids(looks[i], line);
      if (line != nullptr && looks[i].error == 0) learn_from_line(*line, when, looks[i].state);
    }
  }
  const bool all = std::none_of(looks.begin(), looks.end(),
                                [](const KeyLook& look) { return look.error == EACCES; });
  if (all || watcher.view == nullptr) return looks;
  for (const KeyLine& line : watcher.view->lines_of(keys)) {
    KeyLook* look = find(looks, line.key);
    if (look == nullptr || look->error != EACCES) continue;
    look->possessed = watcher.view->is_possessed(line, watcher.rights);
    if (look->possessed) learn_from_line(line, look->when, look->state);
  }
  return looks;
}

}  // namespace watchq
