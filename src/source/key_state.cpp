// SPDX-License-Identifier: MIT
#include "source/key_state.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

namespace watchq {
namespace {

/// Two readings of one expiry overlap; a tenth of a second is what reading may take.
bool may_be_same(const KeyState::Expiry& a, const KeyState::Expiry& b) {
  constexpr auto kSlack = std::chrono::milliseconds(100);
  return a.first <= b.last + kSlack && b.first <= a.last + kSlack;
}

bool same_attributes(const KeyState& before, const KeyState& now) {
  if (before.described && now.described) {
    const KeyDescription& a = *before.described;
    const KeyDescription& b = *now.described;
    if (a.user != b.user || a.group != b.group || a.permissions != b.permissions) return false;
  }
  if (!before.expiry_known || !now.expiry_known) return true;
  if (before.expiry.has_value() != now.expiry.has_value()) return false;
  return !now.expiry || may_be_same(*before.expiry, *now.expiry);
}

bool same_payload(const KeyState& before, const KeyState& now) {
  if (before.length && now.length && before.length != now.length) return false;
  if (before.summary && now.summary && before.summary != now.summary) return false;
  return before.rejected == now.rejected;
}

class Comparison {
 public:
  Comparison(KeySerial key, const KeyState& before, KeyState& now, const KeyStale& stale)
      : key_(key), before_(before), now_(now), stale_(stale) {}

  std::vector<KeyEvent> events() {
    if (now_.life == KeyState::Life::gone) return {};
    if (now_.life == KeyState::Life::alive || before_.life == KeyState::Life::alive) {
      compare_contents();
    }
    compare_life();
    keep_what_is_known();
    return std::move(events_);
  }

 private:
  void tell(KeyEventKind kind, std::uint32_t aux = 0) { events_.push_back({kind, key_, aux, 0}); }

  void compare_contents() {
    if (now_.life != KeyState::Life::alive) return;
    if (before_.instantiated == false && now_.instantiated == true) {
      tell(KeyEventKind::instantiated, now_.rejected);
    } else if (!stale_.payload && !same_payload(before_, now_)) {
      tell(KeyEventKind::updated);
    }
    if (before_.links && now_.links) {
      compare_links(*before_.links, *now_.links);
    } else if (before_.count && now_.count && before_.count != now_.count) {
      const bool cleared = *now_.count == 0 && *before_.count > 1;
      tell(cleared                        ? KeyEventKind::cleared
           : *before_.count > *now_.count ? KeyEventKind::unlinked
                                          : KeyEventKind::linked);
    }
    if (!stale_.attributes && !same_attributes(before_, now_)) tell(KeyEventKind::setattr);
  }

  void compare_links(const std::set<KeySerial>& before, const std::set<KeySerial>& now) {
    std::vector<KeySerial> left;
    std::set_difference(before.begin(), before.end(), now.begin(), now.end(),
                        std::back_inserter(left));
    if (left.size() > 1 && left.size() == before.size()) {
      tell(KeyEventKind::cleared);
    } else {
      for (const KeySerial key : left)
        tell(KeyEventKind::unlinked, static_cast<std::uint32_t>(key));
    }
    for (const KeySerial key : now) {
      if (!before.contains(key)) tell(KeyEventKind::linked, static_cast<std::uint32_t>(key));
    }
  }

  void compare_life() {
    if (now_.life == before_.life) return;
    if (now_.life == KeyState::Life::revoked) tell(KeyEventKind::revoked);
    if (now_.life == KeyState::Life::expired && before_.life == KeyState::Life::alive) {
      tell(KeyEventKind::revoked, EKEYEXPIRED);
    }
    // An expired key whose time was set anew.
    if (now_.life == KeyState::Life::alive && !stale_.attributes && events_.empty()) {
      tell(KeyEventKind::setattr);
    }
  }

  void keep_what_is_known() {
    if (!now_.described) now_.described = before_.described;
    if (!now_.instantiated) now_.instantiated = before_.instantiated;
    // As far as the events tell: a number that does not fit says that some were missed.
    if (!now_.links && before_.links && (!now_.count || *now_.count == before_.links->size())) {
      now_.links = before_.links;
    }
    if (!now_.count) now_.count = before_.count;
    if (!now_.length && !stale_.payload) now_.length = before_.length;
    if (!now_.summary && !stale_.payload) now_.summary = before_.summary;
    if (!now_.expiry_known) {
      now_.expiry_known = before_.expiry_known && !stale_.attributes;
      now_.expiry = before_.expiry;
    } else if (now_.expiry && before_.expiry && may_be_same(*before_.expiry, *now_.expiry)) {
      // Each reading narrows it down.
      now_.expiry->first = std::max(now_.expiry->first, before_.expiry->first);
      now_.expiry->last =
          std::max(now_.expiry->first, std::min(now_.expiry->last, before_.expiry->last));
    }
  }

  const KeySerial key_;
  const KeyState& before_;
  KeyState& now_;
  const KeyStale& stale_;
  std::vector<KeyEvent> events_;
};

}  // namespace

std::vector<KeyEvent> compare_key(KeySerial key, const KeyState& before, KeyState& now,
                                  const KeyStale& stale) {
  return Comparison(key, before, now, stale).events();
}

void apply_event(const KeyEvent& event, KeyState& known, KeyStale& stale) {
  const auto linked = static_cast<KeySerial>(event.aux);
  const auto count_links = [&] {
    if (known.links) known.count = known.links->size();
  };
  switch (event.kind) {
    case KeyEventKind::instantiated:
      known.instantiated = true;
      known.rejected = event.aux;
      stale.payload = stale.attributes = true;
      break;
    case KeyEventKind::updated:
      // An update may set another time to live.
      stale.payload = stale.attributes = true;
      break;
    case KeyEventKind::linked:
      if (known.links) known.links->insert(linked);
      count_links();
      break;
    case KeyEventKind::unlinked:
      if (known.links) known.links->erase(linked);
      count_links();
      break;
    case KeyEventKind::cleared:
      if (known.links) known.links->clear();
      known.count = 0;
      break;
    case KeyEventKind::revoked:
      known.life = event.aux == 0 ? KeyState::Life::revoked : KeyState::Life::expired;
      break;
    case KeyEventKind::invalidated:
      break;
    case KeyEventKind::setattr:
      stale.attributes = true;
      break;
  }
  if (!known.links &&
      (event.kind == KeyEventKind::linked || event.kind == KeyEventKind::unlinked)) {
    known.count.reset();
  }
}

void learn_from_line(const KeyLine& line, KeyState::Clock::time_point when, KeyState& state) {
  if (!state.described) state.described = line.described;
  state.instantiated = line.instantiated;
  if (line.negative && state.rejected == 0) state.rejected = ENOKEY;
  // One that is revoked is shown as if it had expired.
  if (!line.revoked) {
    state.expiry_known = true;
    if (line.expires_in >= 0) {
      const auto first = when + std::chrono::seconds(line.expires_in);
      state.expiry = {first, first + std::chrono::seconds(line.expiry_unit)};
    }
  }
  if (line.described.type != "keyring") {
    // Another reading of the same, of another moment, would be a second change.
    if (!state.length) state.summary = line.summary;
    return;
  }
  if (state.links) return;
  std::uint64_t number = 0;
  const std::string& text = line.summary;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole && text != "empty") return;
  state.count = number;
  if (number == 0) state.links.emplace();
}

}  // namespace watchq
