// SPDX-License-Identifier: MIT
// KeySource: the keys that somebody watches, each by the best way there is.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/key_backend.h"
#include "source/key_guesses.h"
#include "source/key_look.h"
#include "source/key_looker.h"
#include "source/work_budget.h"

namespace watchq {

struct KeyOptions {
  std::string backend = "auto";  ///< or the name of the one that is forced
  /// Whether "auto" may come to the tracepoints, which cost each system call of the machine a
  /// little.
  bool trace = true;
  /// How long, at most, between two looks at what is watched. Where looking is all there is, the
  /// next comes after a 32nd of that when something has changed, and then ever later.
  std::chrono::milliseconds interval{1000};
  /// The share of a core that looking may cost.
  double share = 0.1;
};

struct KeyCounters {
  std::uint64_t events = 0;  ///< told by a backend, of watched keys
  std::uint64_t found = 0;   ///< told by the comparison
  std::uint64_t looks = 0;
  std::uint64_t losses = 0;
};

/// Where the source puts what it sees of watched keys. Called on the serving thread.
class KeySink {
 public:
  virtual void on_key_event(const KeyEvent& event) = 0;
  /// The key is gone, and watched no more.
  virtual void on_key_gone(KeySerial key) = 0;
  virtual void on_key_loss() = 0;
  /// A watcher has looked at the key; its state is known as of now. Of the key's events so many had
  /// been told when it began to look: what it saw may be older than those that came since.
  virtual void on_key_looked(const KeyWatcher& watcher, const KeyLook& look,
                             std::uint64_t events) = 0;

 protected:
  ~KeySink() = default;
};

/// Joins what a backend tells and what a comparison of states finds, so that each change is told
/// once. What the comparison finds beside an exact backend is told when it is found again a moment
/// later: an event of it may be on its way. The serving thread only.
class KeySource final : public KeyBackendSink {
 public:
  /// Both outlive this; the interval may be changed meanwhile. `obstacle`: why keys cannot be
  /// watched at all; empty where they can.
  KeySource(boost::asio::io_context& io, const KeyOptions& options, const std::string& obstacle);
  ~KeySource();
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  /// Begins to tell; `sink` outlives all use of this.
  void start(KeySink& sink) { sink_ = &sink; }

  /// Watches a key in the eyes of a watcher, once more. What happened before, and is not to be told
  /// to this one, needs a sync() before. `look`: that of the watcher's a moment ago,
  /// null where there was none; then one follows, and nothing is told meanwhile. Throws
  /// RequestError: EOPNOTSUPP where the forced backend does not work here, ENOKEY.
  void watch(KeySerial key, const std::shared_ptr<const KeyWatcher>& watcher, const KeyLook* look);
  /// Undoes one watch() of this watcher. Nothing happens where the key has gone since.
  void unwatch(KeySerial key, const KeyWatcher& watcher);

  /// Takes all that has happened so far as far as a backend tells.
  void sync();
  /// Looks at all watched keys as soon as may be.
  void look_soon();

  /// What is known of a watched key; null when nobody watches it.
  [[nodiscard]] const KeyState* find(KeySerial key) const;
  /// How many events of a watched key a backend has told; 0 when nobody watches it.
  [[nodiscard]] std::uint64_t events(KeySerial key) const;

  struct InUse {
    std::string backend;
    std::string why;  ///< why a better one is not in use; empty when it is the best
  };
  [[nodiscard]] const InUse& in_use() const { return in_use_; }
  [[nodiscard]] const KeyCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t watched() const { return entries_.size(); }

  void on_key_event(const KeyEvent& event) override;
  void on_key_gone(KeySerial key) override;
  void on_key_loss() override;
  void on_key_doubt(const KeyEvent& guess) override;

 private:
  using Clock = KeyState::Clock;

  /// A change that the comparison has told, and of which an event may still come.
  struct Told {
    KeyEventKind kind;
    std::uint32_t aux;
    Clock::time_point when;
  };
  struct Entry {
    KeyState known;
    KeyStale stale;
    bool looked = false;         // what is known has been seen once
    Clock::time_point known_at;  // when
    std::uint64_t events = 0;    // that were told of it so far
    bool by_backend = false;
    std::vector<std::shared_ptr<const KeyWatcher>> watchers;
    // What the last comparison found, and since when: not told yet.
    std::optional<Clock::time_point> doubtful_since;
    std::deque<Told> told;
  };

  void choose(const std::string& wanted);
  void begin_backend(KeySerial key, Entry& entry, const KeyLook* look);
  void schedule(Clock::time_point at);
  void plan();
  void begin_round();
  void end_round(const std::map<KeySerial, std::uint64_t>& events, const KeyLooker::Result& result);
  /// Takes over what was seen of a key. Returns whether anything has changed.
  bool take(KeySerial key, const KeyLook& seen);
  /// Whether a difference that is seen now may be told already.
  bool is_certain(Entry& entry, bool is_gone);
  void tell_found(Entry& entry, KeyEvent event);
  void tell_gone(KeySerial key);
  static bool was_found(Entry& entry, const KeyEvent& event);

  boost::asio::io_context& io_;
  const KeyOptions& options_;
  KeySink* sink_ = nullptr;
  InUse in_use_;
  KeyGuesses guesses_;
  std::unique_ptr<KeyBackend> backend_;
  bool usable_ = true;
  std::map<KeySerial, Entry> entries_;
  KeyCounters counters_;
  KeyLooker looker_;
  WorkBudget budget_;
  boost::asio::steady_timer timer_;
  std::optional<Clock::time_point> scheduled_;
  std::chrono::milliseconds pause_;  // until the next look
  bool looking_ = false;
  bool again_ = false;  // asked for while looking
};

}  // namespace watchq
