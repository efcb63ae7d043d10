// SPDX-License-Identifier: MIT
#include "dispatch/key_dispatcher.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "dispatch/key_record.h"
#include "dispatch/record.h"
#include "dispatch/watch_tag.h"
#include "dispatch/watch_words.h"

namespace watchq {
namespace {

using Viewable = KeyMember::Viewable;

bool changes_links(KeyEventKind kind) {
  return kind == KeyEventKind::linked || kind == KeyEventKind::unlinked ||
         kind == KeyEventKind::cleared;
}

/// Whether the kernel lets the watcher view the key by its IDs; nothing where the key is such that
/// nobody may any more.
std::optional<bool> may_view(const KeyWatcher& watcher, KeySerial key,
                             KeyDescription* into = nullptr) {
  KeyDescription described;
  const BorrowedIds ids(watcher.rights);
  const int error = describe_key(key, into != nullptr ? *into : described);
  if (error == 0) return true;
  if (error == EACCES) return false;
  return std::nullopt;
}

/// Takes the client's view over where it can be believed. Returns why it is not known whether it
/// can be: an errno, or 0. Throws RequestError: EBADF or EINVAL where it is none.
int take_view(const Peer& caller, int fd, KeyWatcher& watcher) {
  try {
    auto view = std::make_shared<const KeyView>(caller, fd, watcher.rights.user);
    if (view->is_opened_by(caller, fd, watcher.rights)) watcher.view = std::move(view);
    return 0;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    if (code == EBADF || code == EINVAL) throw;
    return code;
  }
}

/// Throws RequestError for what cannot be watched so, whatever the queue watches.
void check_may_watch(const watchq_key_watch& request, const ExaminedKey& examined) {
  const KeyLook& look = examined.look;
  if (!look.viewable()) throw RequestError(look.error, "the key");
  if (look.state.rejected != 0) {
    throw RequestError(static_cast<int>(look.state.rejected), "the key is negative");
  }
  if ((request.flags & WATCHQ_CHILDREN) != 0 && !look.state.is_keyring()) {
    throw RequestError(EINVAL, "the key is no keyring");
  }
  const bool readable = look.state.links || examined.told_links.contains(request.key);
  if ((request.flags & WATCHQ_SNAPSHOT) != 0 && look.state.is_keyring() && !readable) {
    throw RequestError(EACCES, "what is linked in the keyring cannot be read");
  }
}

/// Looks at what is linked below the key, a level at a time.
void look_below(ExaminedKey& examined) {
  const auto links_of = [&](const KeyLook& look) -> std::set<KeySerial> {
    if (look.state.links) return *look.state.links;
    const auto told = examined.told_links.find(look.key);
    return told == examined.told_links.end() ? std::set<KeySerial>() : told->second;
  };
  std::set<KeySerial> level = links_of(examined.look);
  for (std::size_t depth = 0; depth < KeyDispatcher::kMaxDepth && !level.empty(); ++depth) {
    std::set<KeySerial> next;
    for (KeyLook& look : look_at_keys(*examined.watcher, {level.begin(), level.end()})) {
      if (look.state.is_keyring()) next.merge(links_of(look));
      examined.below.emplace(look.key, std::move(look));
    }
    std::erase_if(next, [&](KeySerial key) {
      return key == examined.look.key || examined.below.contains(key);
    });
    if (examined.below.size() + next.size() > KeyDispatcher::kMaxMembers) return;
    level = std::move(next);
  }
}

}  // namespace

void check_key_watch(const watchq_keyring_watch& asked) {
  const watchq_key_watch& request = asked.watch;
  check_tag(request.tag);
  if ((request.flags & ~(WATCHQ_DETAIL | WATCHQ_CHILDREN | WATCHQ_SNAPSHOT)) != 0) {
    throw RequestError(EINVAL, "unknown flags of a key watch");
  }
  if (request.key <= 0) throw RequestError(EINVAL, "a key's serial number is over 0");
  if (request.reserved != 0) throw RequestError(EINVAL, "reserved is not 0");
  if (asked.nr_links > WATCHQ_MAX_KEY_LINKS || asked.nr_keyrings > WATCHQ_MAX_KEY_LINKS) {
    throw RequestError(E2BIG, "too many links");
  }
}

ExaminedKey examine_key(const Peer& caller, const KeyRights& rights, const watchq_key_watch& asked,
                        std::map<KeySerial, std::set<KeySerial>> told_links) {
  KeyWatcher watcher{rights, nullptr};
  watcher.rights.groups = caller.groups();
  const int obstacle = asked.view >= 0 ? take_view(caller, asked.view, watcher) : 0;
  ExaminedKey examined;
  examined.watcher = std::make_shared<const KeyWatcher>(std::move(watcher));
  examined.look = look_at_keys(*examined.watcher, {asked.key}).front();
  // That the view could not be used matters to those only who need it.
  if (obstacle != 0 && examined.look.error == EACCES) throw RequestError(obstacle, "the view");
  if (examined.look.possessed && examined.look.state.is_keyring() && !examined.look.state.links) {
    examined.look.shown = examined.watcher->view->keys();
  }
  examined.sees_pids = caller.shares_pid_namespace();
  examined.told_links = std::move(told_links);
  if ((asked.flags & WATCHQ_CHILDREN) != 0) look_below(examined);
  return examined;
}

std::vector<ExaminedKey> examine_visible_keys(const Peer& caller, const KeyRights& rights) {
  KeyWatcher watcher{rights, nullptr};
  watcher.rights.groups = caller.groups();
  const auto shared = std::make_shared<const KeyWatcher>(std::move(watcher));
  std::vector<KeySerial> keys;
  try {
    const BorrowedIds ids(shared->rights);
    keys = visible_keys();
  } catch (const std::system_error&) {
    return {};  // those IDs are not to be had
  }
  std::sort(keys.begin(), keys.end());
  if (keys.size() > KeyDispatcher::kMaxMembers) keys.resize(KeyDispatcher::kMaxMembers);
  std::map<KeySerial, KeyLook> looks;
  std::set<KeySerial> linked;
  for (KeyLook& look : look_at_keys(*shared, keys)) {
    if (!look.viewable() || look.state.rejected != 0) continue;
    if (look.state.links) linked.insert(look.state.links->begin(), look.state.links->end());
    looks.emplace(look.key, std::move(look));
  }
  // What is linked in one that is watched belongs to that watch.
  std::vector<ExaminedKey> roots;
  for (const auto& [key, look] : looks) {
    if (linked.contains(key)) continue;
    roots.push_back({shared, look, {}, {}, caller.shares_pid_namespace()});
    if (look.state.links) look_below(roots.back());
  }
  return roots;
}

KeyDispatcher::KeyDispatcher(KeySource& keys, UserLimit& watch_limit)
    : keys_(keys), watch_limit_(watch_limit) {
  keys_.start(*this);
}

void KeyDispatcher::watch(Recipient& queue, const watchq_key_watch& request,
                          const ExaminedKey& examined) {
  const KeyLook& look = examined.look;
  KeyWatch* watched = list_.find(queue, request.key);
  if (request.tag == kRemove) {
    if (watched == nullptr && !look.viewable()) throw RequestError(look.error, "the key");
    if (watched == nullptr) throw RequestError(EBADSLT, "this queue does not watch the key");
    end(*watched);
    return;
  }
  check_may_watch(request, examined);
  const bool children = (request.flags & WATCHQ_CHILDREN) != 0;
  const bool snapshot = (request.flags & WATCHQ_SNAPSHOT) != 0;
  if (watched != nullptr && !(snapshot && watched->tag == request.tag)) {
    throw RequestError(EBUSY, "this queue already watches the key");
  }
  auto share = watched != nullptr ? watched->members.at(request.key).share
                                  : watch_limit_.share(queue.owner(), 1);
  keys_.sync();
  keys_.watch(request.key, examined.watcher, &look);
  if (watched != nullptr) end(*watched);
  if (request.flags != 0) queue.count_losses();
  KeyWatch& watch = list_.add({&queue,
                               request.key,
                               static_cast<std::uint8_t>(request.tag),
                               (request.flags & WATCHQ_DETAIL) != 0,
                               children,
                               examined.sees_pids,
                               examined.watcher,
                               {},
                               examined.told_links});
  KeyMember& member = watch.members.at(request.key);
  member.share = std::move(share);
  member.viewable = Viewable::yes;
  member.possessed = look.possessed;
  member.looked = true;
  extend(watch, examined.below);
  if (snapshot) tell_snapshot(watch);
}

void KeyDispatcher::watch_all(Recipient& recipient, const std::vector<ExaminedKey>& keys) {
  for (const ExaminedKey& examined : keys) {
    watchq_key_watch request{};
    request.key = examined.look.key;
    request.flags = WATCHQ_DETAIL | (examined.look.state.is_keyring() ? WATCHQ_CHILDREN : 0);
    try {
      watch(recipient, request, examined);
    } catch (const RequestError& error) {
      // What has gone since is none of this; without a backend nobody is told of keys.
      if (error.error() == ENOSPC) recipient.lose();
    }
  }
}

void KeyDispatcher::describe_watches(const Recipient& queue,
                                     std::vector<std::string>& texts) const {
  for (const KeyWatch* watch : list_.of_queue(queue)) texts.push_back(words_of(*watch));
}

void KeyDispatcher::unwatch(const Recipient& queue, KeySerial key) {
  if (const KeyWatch* watched = list_.find(queue, key)) end(*watched);
}

void KeyDispatcher::drop(const Recipient& queue) {
  for (const KeyWatch* watch : list_.of_queue(queue)) end(*watch);
}

void KeyDispatcher::end(const KeyWatch& watch) {
  for (const auto& [key, member] : watch.members) keys_.unwatch(key, *watch.watcher);
  list_.remove(watch);
}

Viewable KeyDispatcher::ask(const KeyWatch& watch, KeySerial key, KeyMember& member) {
  try {
    const auto by_ids = may_view(*watch.watcher, key);
    if (!by_ids) return member.viewable;  // dead: as it was
    if (*by_ids) {
      member.possessed = false;
      return Viewable::yes;
    }
  } catch (const std::system_error&) {
    return Viewable::no;  // its IDs are not to be had any more
  }
  if (watch.watcher->view == nullptr) return Viewable::no;
  // It may be that its IDs sufficed until now.
  return std::exchange(member.possessed, true) ? member.viewable : Viewable::unknown;
}

void KeyDispatcher::offer(KeyWatch& watch, const KeyEvent& event) {
  KeyMember& member = watch.members.at(event.key);
  const bool could = member.viewable == Viewable::yes;
  if (!member.held.empty()) {
    // In their order: those before it wait for a look.
    if (member.held.size() >= kMaxHeld) {
      watch.queue->lose();
      return;
    }
    member.held.push_back({event, keys_.events(event.key)});
    return;
  }
  member.viewable = ask(watch, event.key, member);
  const bool setattr = event.kind == KeyEventKind::setattr;
  if (member.viewable == Viewable::yes || (setattr && could)) {
    // What takes View away is the last that is told.
    tell(watch, event);
  } else if (member.viewable == Viewable::unknown) {
    member.held.push_back({event, keys_.events(event.key)});
    keys_.look_soon();
  }
  if (setattr && member.possessed && member.viewable == Viewable::yes) {
    member.viewable = Viewable::unknown;
    keys_.look_soon();
  }
}

void KeyDispatcher::tell(const KeyWatch& watch, const KeyEvent& event) const {
  const key_notification record = key_record(event, watch.tag, event.key != watch.key);
  if (!watch.detail) {
    watch.queue->post(bytes_of(record));
    return;
  }
  const KeyState* known = keys_.find(event.key);
  KeyDescription now;
  KeyDescription linked;
  const KeyDescription* key = known != nullptr && known->described ? &*known->described : nullptr;
  const bool names_key = event.kind == KeyEventKind::linked || event.kind == KeyEventKind::unlinked;
  bool sees_linked = false;
  try {
    if (may_view(*watch.watcher, event.key, &now) == true) key = &now;
    sees_linked =
        names_key && may_view(*watch.watcher, static_cast<KeySerial>(event.aux), &linked) == true;
  } catch (const std::system_error&) {
    // Then by what is known.
  }
  const KeyDetail detail(event, key, sees_linked ? &linked : nullptr, watch.sees_pids, watch.tag);
  watch.queue->post(bytes_of(record), detail.bytes());
}

void KeyDispatcher::tell_snapshot(const KeyWatch& watch) const {
  for (const auto& [key, member] : watch.members) {
    const auto* links = member.viewable == Viewable::no ? nullptr : links_of(watch, key);
    if (links == nullptr) continue;
    for (const KeySerial linked : *links) {
      tell(watch, {KeyEventKind::linked, key, static_cast<std::uint32_t>(linked), 0});
    }
  }
  const watch_notification complete = snapshot_record(watch.tag);
  watch.queue->post_unfiltered(bytes_of(complete));
}

const std::set<KeySerial>* KeyDispatcher::links_of(const KeyWatch& watch, KeySerial keyring) const {
  const KeyState* known = keys_.find(keyring);
  // What was only told of it may have been told by somebody else.
  if (known != nullptr && known->links) return &*known->links;
  const auto told = watch.told_links.find(keyring);
  return told == watch.told_links.end() ? nullptr : &told->second;
}

void KeyDispatcher::follow_told_links(KeyWatch& watch, const KeyEvent& event) {
  const auto told = watch.told_links.find(event.key);
  if (event.kind == KeyEventKind::cleared) {
    watch.told_links[event.key].clear();
  } else if (told != watch.told_links.end() && event.aux != 0) {
    const auto key = static_cast<KeySerial>(event.aux);
    if (event.kind == KeyEventKind::linked) told->second.insert(key);
    if (event.kind == KeyEventKind::unlinked) told->second.erase(key);
  } else if (event.kind == KeyEventKind::linked && event.aux != 0) {
    // What was there before is not known, but this is.
    watch.told_links[event.key].insert(static_cast<KeySerial>(event.aux));
  }
}

void KeyDispatcher::extend(KeyWatch& watch, const std::map<KeySerial, KeyLook>& looks) {
  if (!watch.children) return;
  std::set<KeySerial> reached{watch.key};
  std::deque<std::pair<KeySerial, std::size_t>> ways{{watch.key, 0}};
  while (!ways.empty()) {
    const auto [keyring, depth] = ways.front();
    ways.pop_front();
    const auto* known = depth < kMaxDepth ? links_of(watch, keyring) : nullptr;
    if (known == nullptr) continue;
    const std::set<KeySerial> links = *known;
    for (const KeySerial key : links) {
      if (reached.size() >= kMaxMembers) break;
      if (!reached.insert(key).second) continue;
      // What is linked in it is known then, where it has been looked at.
      if (!watch.members.contains(key)) take_in(watch, key, looks);
      ways.emplace_back(key, depth + 1);
    }
  }
  std::vector<KeySerial> left;
  for (const auto& [key, member] : watch.members) {
    if (!reached.contains(key)) left.push_back(key);
  }
  for (const KeySerial key : left) {
    list_.remove_member(watch, key);
    keys_.unwatch(key, *watch.watcher);
  }
}

void KeyDispatcher::take_in(KeyWatch& watch, KeySerial key,
                            const std::map<KeySerial, KeyLook>& looks) {
  const auto look = looks.find(key);
  // Of one that is watched already more is known by now.
  const bool is_seen = look != looks.end() && keys_.find(key) == nullptr;
  if (is_seen && look->second.state.life == KeyState::Life::gone) return;
  std::shared_ptr<const UserLimit::Share> share;
  try {
    share = watch_limit_.share(watch.queue->owner(), 1);
    keys_.watch(key, watch.watcher, is_seen ? &look->second : nullptr);
  } catch (const RequestError&) {
    // At the limit its changes are missed, which must be told; or it has gone since.
    if (share == nullptr) watch.queue->lose();
    return;
  }
  list_.add_member(watch, key);
  KeyMember& member = watch.members.at(key);
  member.share = std::move(share);
  member.looked = is_seen;
  if (is_seen) {
    member.viewable = look->second.viewable() ? Viewable::yes : Viewable::no;
    member.possessed = look->second.possessed;
  } else {
    member.viewable = ask(watch, key, member);
  }
}

void KeyDispatcher::on_key_event(const KeyEvent& event) {
  std::unordered_set<const Recipient*> streams;
  for (KeyWatch* watch : list_.with_member(event.key)) {
    if (!list_.holds(watch)) continue;
    if (changes_links(event.kind)) follow_told_links(*watch, event);
    // A queue tells its watches apart by their tags; a stream is told once.
    const bool is_told = watch->queue->wants_facts() && !streams.insert(watch->queue).second;
    if (!is_told) offer(*watch, event);
    if (changes_links(event.kind)) extend(*watch);
  }
}

void KeyDispatcher::on_key_gone(KeySerial key) {
  for (KeyWatch* watch : list_.with_member(key)) {
    if (watch->key != key) {
      list_.remove_member(*watch, key);
      continue;
    }
    if (!watch->queue->wants_facts()) {
      const watch_notification record = removal_record(watch->tag);
      watch->queue->post(bytes_of(record));
    }
    end(*watch);
  }
}

void KeyDispatcher::on_key_loss() {
  std::unordered_set<Recipient*> queues;
  for (const KeyWatch* watch : list_.all()) queues.insert(watch->queue);
  for (Recipient* queue : queues) queue->lose();
}

void KeyDispatcher::release(KeyWatch& watch, KeyMember& member, std::uint64_t events,
                            bool is_viewable) const {
  const auto later = std::find_if(member.held.begin(), member.held.end(),
                                  [&](const auto& held) { return held.number > events; });
  // Of what came before its attributes changed once more, a look after that says nothing.
  const auto changed = std::find_if(member.held.rbegin(), member.held.rend(), [](const auto& held) {
    return held.event.kind == KeyEventKind::setattr;
  });
  const auto known =
      changed == member.held.rend() ? member.held.begin() : std::prev(changed.base());
  for (auto held = member.held.begin(); held != later; ++held) {
    if (held < known) {
      watch.queue->lose();
    } else if (is_viewable) {
      tell(watch, held->event);
    }
  }
  member.held.erase(member.held.begin(), later);
}

void KeyDispatcher::on_key_looked(const KeyWatcher& watcher, const KeyLook& look,
                                  std::uint64_t events) {
  for (KeyWatch* watch : list_.with_member(look.key)) {
    const bool same =
        watch->watcher->rights == watcher.rights && watch->watcher->view == watcher.view;
    if (!same || !list_.holds(watch)) continue;
    KeyMember& member = watch->members.at(look.key);
    const bool alive = look.error == 0 || look.error == EACCES;
    // One of those that came since may have taken View away: what was seen is only of those before.
    const bool is_of_all = keys_.events(look.key) == events;
    if (alive && is_of_all) {
      member.viewable = look.viewable() ? Viewable::yes : Viewable::no;
      member.possessed = look.error != 0;
    } else if (!alive && member.viewable == Viewable::unknown) {
      // It has died before anybody could look: nobody knows.
      member.viewable = Viewable::no;
    }
    release(*watch, member, events, alive ? look.viewable() : member.viewable == Viewable::yes);
    // By events from now on.
    if (!std::exchange(member.looked, true)) extend(*watch);
  }
}

}  // namespace watchq
