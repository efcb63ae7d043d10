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

/// With the watcher's IDs.
void look_by_ids(KeyLook& look) {
  KeyDescription described;
  look.error = describe_key(look.key, described);
  look.state.life = life_of(look.error);
  if (look.error != 0) return;
  look.state.described = std::move(described);
  if (look.state.is_keyring()) {
    std::vector<KeySerial> links;
    if (keyring_links(look.key, links) != 0) return;
    look.state.links.emplace(links.begin(), links.end());
    look.state.count = links.size();
    return;
  }
  std::size_t length = 0;
  if (const int error = key_length(look.key, length); error == 0) {
    look.state.length = length;
  } else if (error != EACCES && error != EOPNOTSUPP && error != ENOKEY) {
    look.state.rejected = static_cast<std::uint32_t>(error);  // corrected by its line
  }
}

KeyLook* find(std::vector<KeyLook>& looks, KeySerial key) {
  const auto found = std::find_if(looks.begin(), looks.end(),
                                  [&](const KeyLook& look) { return look.key == key; });
  return found == looks.end() ? nullptr : &*found;
}

void learn(KeyLook& look, const KeyLine& line) {
  const std::uint32_t rejected = look.state.rejected;
  look.state.rejected = line.negative ? rejected : 0;
  learn_from_line(line, look.when, look.state);
}

}  // namespace

std::vector<KeyLook> look_at_keys(const KeyWatcher& watcher, const std::vector<KeySerial>& keys) {
  std::vector<KeyLook> looks(keys.size());
  {
    const BorrowedIds ids(watcher.rights);
    const std::vector<KeyLine> lines = visible_lines(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      looks[i].key = keys[i];
      looks[i].when = KeyState::Clock::now();
      look_by_ids(looks[i]);
    }
    for (const KeyLine& line : lines) {
      KeyLook* look = find(looks, line.key);
      if (look != nullptr && look->error == 0) learn(*look, line);
    }
  }
  const bool all = std::none_of(looks.begin(), looks.end(),
                                [](const KeyLook& look) { return look.error == EACCES; });
  if (all || watcher.view == nullptr) return looks;
  for (const KeyLine& line : watcher.view->lines_of(keys)) {
    KeyLook* look = find(looks, line.key);
    if (look == nullptr || look->error != EACCES) continue;
    look->possessed = watcher.view->is_possessed(line, watcher.rights);
    if (look->possessed) learn(*look, line);
  }
  return looks;
}

}  // namespace watchq
