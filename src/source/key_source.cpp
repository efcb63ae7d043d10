// SPDX-License-Identifier: MIT
#include "source/key_source.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "source/key_backend_chain.h"

namespace watchq {
namespace {

using std::chrono::milliseconds;

/// For how long a difference is only a guess where a backend tells events: those of a system call
/// come at its end, and a loaded machine may interrupt it before.
constexpr milliseconds kDoubt{250};
/// A change that the comparison has told is known that long as told.
constexpr std::chrono::seconds kToldFor{1};
constexpr std::size_t kMostTold = 64;
/// No two looks are closer.
constexpr milliseconds kLeastPause{20};

bool takes_something_away(KeyEventKind kind) {
  return kind == KeyEventKind::unlinked || kind == KeyEventKind::cleared ||
         kind == KeyEventKind::revoked || kind == KeyEventKind::invalidated;
}

/// Adds to what one watcher has seen of a key what another may see.
void merge(KeyLook& into, const KeyLook& more) {
  const auto when = std::min(into.when, more.when);
  if (!into.viewable() && more.viewable()) into = more;
  into.when = when;
  if (!more.viewable()) return;
  KeyState& state = into.state;
  if (!state.links) state.links = more.state.links;
  if (!state.count) state.count = more.state.count;
  if (!state.length) state.length = more.state.length;
  if (!state.summary) state.summary = more.state.summary;
  if (!state.expiry_known) {
    state.expiry_known = more.state.expiry_known;
    state.expiry = more.state.expiry;
  }
}

}  // namespace

KeySource::KeySource(boost::asio::io_context& io, const KeyOptions& options,
                     const std::string& obstacle)
    : io_(io),
      options_(options),
      looker_(io),
      budget_(options.share, milliseconds(50)),
      timer_(io),
      pause_(options.interval / 32) {
  if (obstacle.empty()) {
    choose(options.backend);
  } else {
    in_use_ = {"none", obstacle};
    usable_ = false;
  }
}

KeySource::~KeySource() = default;

void KeySource::choose(const std::string& wanted) {
  in_use_ = {"poll", {}};
  if (wanted == "poll") {
    in_use_.why = "forced by --key-backend";
    return;
  }
  std::vector<KeyBackendChoice> choices;
  for (const KeyBackendChoice& choice : key_backend_choices()) {
    if (wanted != "auto" && wanted != choice.name) continue;
    if (wanted == "auto" && choice.name == "trace" && !options_.trace) {
      in_use_.why += (in_use_.why.empty() ? "" : "; ") + choice.name + ": forbidden by key_trace";
      continue;
    }
    choices.push_back(choice);
  }
  // Where the best one refuses a key the next may take it.
  for (; !choices.empty(); choices.erase(choices.begin())) {
    const std::string name = choices.front().name;
    try {
      backend_ = std::make_unique<KeyBackendChain>(io_, *this, choices);
      in_use_.backend = name;
      if (wanted != "auto") in_use_.why = "forced by --key-backend";
      return;
    } catch (const std::system_error& error) {
      in_use_.why += (in_use_.why.empty() ? "" : "; ") + name + ": " + error.what();
    }
  }
  if (wanted == "auto") return;
  if (in_use_.why.empty()) in_use_.why = "this watchqd was built without it";
  in_use_ = {"none", "forced to " + wanted + ": " + in_use_.why};
  usable_ = false;
}

void KeySource::begin_backend(KeySerial key, Entry& entry, const KeyLook* look) {
  if (backend_ == nullptr) return;
  const KeyWatcher& watcher = *entry.watchers.front();
  try {
    backend_->watch(key, watcher.rights, look != nullptr ? look->shown : std::vector<KeySerial>());
    entry.by_backend = true;
  } catch (const std::system_error&) {
    // The comparison alone then.
  }
}

void KeySource::watch(KeySerial key, const std::shared_ptr<const KeyWatcher>& watcher,
                      const KeyLook* look) {
  if (!usable_) throw RequestError(EOPNOTSUPP, in_use_.why);
  looker_.start();
  const auto [place, added] = entries_.try_emplace(key);
  if (added) {
    place->second.watchers.push_back(watcher);
    begin_backend(key, place->second, look);
    if (look != nullptr) take(key, *look);
  } else {
    // What others have not been told yet is not for this one.
    if (look != nullptr && backend_ == nullptr && entries_.contains(key)) take(key, *look);
    const auto still = entries_.find(key);
    if (still == entries_.end()) throw RequestError(ENOKEY, "the key has gone");
    still->second.watchers.push_back(watcher);
  }
  if (look == nullptr) look_soon();
  pause_ = options_.interval / 32;
  plan();
}

void KeySource::unwatch(KeySerial key, const KeyWatcher& watcher) {
  const auto place = entries_.find(key);
  if (place == entries_.end()) return;
  auto& watchers = place->second.watchers;
  const auto found = std::find_if(watchers.begin(), watchers.end(),
                                  [&](const auto& one) { return one.get() == &watcher; });
  if (found != watchers.end()) watchers.erase(found);
  if (!watchers.empty()) return;
  if (place->second.by_backend) backend_->unwatch(key);
  entries_.erase(place);
}

void KeySource::sync() {
  if (backend_ == nullptr) return;
  try {
    backend_->sync();
  } catch (const std::system_error&) {
    on_key_loss();
  }
}

const KeyState* KeySource::find(KeySerial key) const {
  const auto place = entries_.find(key);
  return place == entries_.end() ? nullptr : &place->second.known;
}

std::uint64_t KeySource::events(KeySerial key) const {
  const auto place = entries_.find(key);
  return place == entries_.end() ? 0 : place->second.events;
}

void KeySource::look_soon() {
  if (looking_) {
    again_ = true;
    return;
  }
  schedule(Clock::now() + kLeastPause);
}

void KeySource::schedule(Clock::time_point at) {
  at = std::max(at, Clock::now() + budget_.wait(Clock::now()));
  if (scheduled_ && *scheduled_ <= at) return;
  scheduled_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    scheduled_.reset();
    begin_round();
  });
}

/// Sees to it that there is a next look, where there is anything to look at.
void KeySource::plan() {
  if (entries_.empty() || looking_) return;
  const Clock::time_point now = Clock::now();
  Clock::time_point next = now + (backend_ != nullptr ? options_.interval : pause_);
  for (const auto& [key, entry] : entries_) {
    if (entry.doubtful_since) next = std::min(next, *entry.doubtful_since + kDoubt);
    if (entry.known.life == KeyState::Life::alive && entry.known.expiry) {
      next = std::min(next, entry.known.expiry->first);
    }
  }
  schedule(std::max(next, now + kLeastPause));
}

void KeySource::begin_round() {
  if (entries_.empty() || looking_) return;
  std::map<std::pair<KeyRights, const KeyView*>, KeyLooker::Task> tasks;
  std::map<KeySerial, std::uint64_t> events;
  for (const auto& [key, entry] : entries_) {
    events.emplace(key, entry.events);
    for (const auto& watcher : entry.watchers) {
      auto& task = tasks[{watcher->rights, watcher->view.get()}];
      if (task.first == nullptr) task.first = watcher;
      if (task.second.empty() || task.second.back() != key) task.second.push_back(key);
    }
  }
  std::vector<KeyLooker::Task> list;
  list.reserve(tasks.size());
  for (auto& [who, task] : tasks) list.push_back(std::move(task));
  looking_ = true;
  ++counters_.looks;
  looker_.look(std::move(list),
               [this, events = std::move(events)](const KeyLooker::Result& result) {
                 end_round(events, result);
               });
}

void KeySource::end_round(const std::map<KeySerial, std::uint64_t>& events,
                          const KeyLooker::Result& result) {
  budget_.spend(result.spent, Clock::now());
  // What has happened before is told by events, where it is.
  sync();
  std::map<KeySerial, KeyLook> merged;
  for (const auto& [watcher, looks] : result.seen) {
    for (const KeyLook& look : looks) {
      const auto [place, added] = merged.emplace(look.key, look);
      if (!added) merge(place->second, look);
    }
  }
  bool changed = false;
  for (const auto& [key, look] : merged) {
    const auto place = entries_.find(key);
    const auto before = events.find(key);
    if (place == entries_.end() || before == events.end()) continue;
    if (place->second.events != before->second) {
      // Nobody knows whether it was looked at before that or after.
      again_ = true;
      continue;
    }
    changed = take(key, look) || changed;
  }
  for (const auto& [watcher, looks] : result.seen) {
    for (const KeyLook& look : looks) {
      const auto before = events.find(look.key);
      const auto place = entries_.find(look.key);
      if (place == entries_.end() || before == events.end()) continue;
      if (place->second.looked) sink_->on_key_looked(*watcher, look, before->second);
    }
  }
  looking_ = false;
  pause_ = changed ? options_.interval / 32 : std::min(pause_ * 2, options_.interval);
  if (std::exchange(again_, false)) look_soon();
  plan();
}

bool KeySource::is_certain(Entry& entry, bool is_gone) {
  const Clock::time_point now = Clock::now();
  if (!entry.by_backend) return true;
  // No event comes of what a backend cannot tell. After the end of a key none would be told.
  if (!is_gone && guesses_.any(now)) return true;
  if (!entry.doubtful_since) entry.doubtful_since = now;
  return now >= *entry.doubtful_since + kDoubt;
}

bool KeySource::take(KeySerial key, const KeyLook& seen) {
  Entry& entry = entries_.at(key);
  if (entry.looked && seen.when <= entry.known_at) return false;
  if (seen.state.life == KeyState::Life::gone) {
    if (!is_certain(entry, true)) return true;
    ++counters_.found;
    tell_gone(key);
    return true;
  }
  KeyState now = seen.state;
  std::vector<KeyEvent> found;
  if (entry.looked) found = compare_key(key, entry.known, now, entry.stale);
  if (!found.empty() && !is_certain(entry, false)) return true;
  entry.doubtful_since.reset();
  entry.known = std::move(now);
  entry.known_at = seen.when;
  entry.stale = {};
  entry.looked = true;
  for (const KeyEvent& event : found) {
    const auto place = entries_.find(key);
    if (place == entries_.end()) break;
    tell_found(place->second, event);
  }
  return !found.empty();
}

void KeySource::tell_found(Entry& entry, KeyEvent event) {
  ++counters_.found;
  guesses_.complete(event, Clock::now());
  if (entry.by_backend) {
    entry.told.push_back({event.kind, event.aux, Clock::now()});
    if (entry.told.size() > kMostTold) entry.told.pop_front();
  }
  sink_->on_key_event(event);
}

void KeySource::tell_gone(KeySerial key) {
  const auto place = entries_.find(key);
  if (place == entries_.end()) return;
  if (place->second.by_backend) backend_->unwatch(key);
  entries_.erase(place);
  sink_->on_key_gone(key);
}

bool KeySource::was_found(Entry& entry, const KeyEvent& event) {
  const Clock::time_point now = Clock::now();
  while (!entry.told.empty() && entry.told.front().when + kToldFor < now) entry.told.pop_front();
  const auto found = std::find_if(entry.told.begin(), entry.told.end(), [&](const Told& told) {
    return told.kind == event.kind && told.aux == event.aux;
  });
  if (found == entry.told.end()) return false;
  entry.told.erase(found);
  return true;
}

void KeySource::on_key_event(const KeyEvent& event) {
  // What is taken away anywhere may have been all that kept a watched key.
  if (takes_something_away(event.kind) && !entries_.empty()) look_soon();
  const auto place = entries_.find(event.key);
  if (place == entries_.end()) return;
  Entry& entry = place->second;
  ++entry.events;
  entry.doubtful_since.reset();
  if (was_found(entry, event)) return;
  ++counters_.events;
  apply_event(event, entry.known, entry.stale);
  // A new link may have taken the place of another, and a time to live is not told.
  if (event.kind == KeyEventKind::linked || event.kind == KeyEventKind::setattr) look_soon();
  sink_->on_key_event(event);
}

void KeySource::on_key_gone(KeySerial key) { tell_gone(key); }

void KeySource::on_key_loss() {
  ++counters_.losses;
  sink_->on_key_loss();
  look_soon();
}

void KeySource::on_key_doubt(const KeyEvent& guess) {
  if (entries_.empty()) return;
  guesses_.add(guess, Clock::now());
  look_soon();
}

}  // namespace watchq
