// SPDX-License-Identifier: MIT
#include "tool/monitor.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "tool/daemon_wait.h"
#include "tool/end_signals.h"
#include "tool/failure.h"
#include "tool/known_state.h"
#include "tool/progress.h"
#include "tool/selection.h"
#include "tool/teller.h"
#include "tool/until.h"
#include "tool/watch_plan.h"
#include "tool/watched.h"

namespace watchq {
namespace {

using Clock = std::chrono::steady_clock;

class Monitor {
 public:
  Monitor(const MonitorOptions& options, Output& output, Output& error)
      : options_(options),
        error_(error),
        watches_(watches_of(options)),
        until_(options),
        selection_(options),
        pages_(ring_pages_for(std::max<std::size_t>(options.mounts.size(), 1))),
        queue_(open_queue(options.directory, pages_)),
        progress_(output, error, options.snapshot) {
    for (std::size_t tag = 0; tag < watches_.size(); ++tag) {
      if (const int failure = watch(tag)) throw cannot_watch(watches_[tag], failure);
    }
    if (in_snapshot_ == 0) set_filter(options, queue_.get());
    // Signals end it the usual way as long as the daemon may keep it waiting.
    signals_.emplace();
    teller_.emplace(options, output, error, *signals_);
    output_fd_ = output.fd();
    if (options.timeout) deadline_ = Clock::now() + *options.timeout;
  }

  void run() {
    do {
      for (const Event& event : events_of(take(), std::chrono::system_clock::now())) {
        handle(event);
        if (ended_) break;
      }
      if (!ended_) check_state();
      if (!ended_ && needs_resync_) resync();
      if (!ended_ && set_ == 0) throw Failure(ExitStatus::failed, "what was watched has gone");
    } while (!ended_ && wait());
    progress_.end();
    if (teller_->failures() > 0) {
      throw Failure(ExitStatus::failed,
                    std::to_string(teller_->failures()) + " of the commands of --exec failed");
    }
  }

 private:
  /// Sets a watch, for the first time or again, with a snapshot. Returns 0 or an errno.
  int watch(std::size_t tag) {
    const int failure =
        set_watch(queue_.get(), watches_[tag], static_cast<int>(tag), options_.free);
    if (failure != 0) return failure;
    if (is_set_.size() <= tag) is_set_.resize(tag + 1);
    if (!is_set_[tag]) ++set_;
    is_set_[tag] = true;
    if (!has_snapshot(watches_[tag])) return 0;
    known_.begin_snapshot(static_cast<unsigned int>(tag));
    ++in_snapshot_;
    return 0;
  }

  /// All records that are there now.
  std::vector<Record> take() {
    std::vector<Record> records;
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    int found = 0;
    while ((found = ::watchq_next(queue_.get(), &record, &length)) == 1) {
      records.emplace_back(record, length);
    }
    // So it can look when a daemon goes whose ring was in the page cache.
    if (found < 0) is_broken_ = true;
    return records;
  }

  void handle(const Event& event) {
    if (event.follows_a_loss()) {
      needs_resync_ = true;
      progress_.clear();
      if (!teller_->tell_loss(event, deadline_)) stop();
    }
    if (event.record.type() == WATCHQ_TYPE_SNAPSHOT) {
      complete(event);
      return;
    }
    if (event.record.is(WATCH_TYPE_META, WATCH_META_REMOVAL_NOTIFICATION)) {
      removed(event.record.tag(), event);
      return;
    }
    for (const Event& told : known_.take(event)) tell(told);
    progress_.count(in_snapshot_ > 0);
  }

  /// A snapshot is complete.
  void complete(const Event& event) {
    for (const Event& gone : known_.complete(event.record.tag(), event.time)) tell(gone);
    if (in_snapshot_ == 0 || --in_snapshot_ > 0) return;
    progress_.end();
    if (options_.snapshot && !told_snapshot_ && !ended_) {
      told_snapshot_ = true;
      if (!teller_->tell(event, deadline_)) stop();
    }
    set_filter(options_, queue_.get());
  }

  void removed(unsigned int tag, Event event) {
    if (tag >= is_set_.size() || !is_set_[tag]) return;
    is_set_[tag] = false;
    --set_;
    known_.forget(tag);
    event.path = watches_[tag].path;
    if (selection_.passes(event) || until_.is_met_by(event)) {
      tell(event);
    } else {
      error_.write("watchq: " + watches_[tag].path + " has gone and is no longer watched\n");
    }
  }

  /// Tells what is to be told of an event, and ends when it was waited for.
  void tell(Event event) {
    if (ended_) return;
    const std::size_t tag = event.record.tag();
    if (tag < watches_.size() && is_told_by_name(watches_[tag])) event.path = watches_[tag].path;
    const bool met = until_.is_met_by(event);
    const bool wanted = event.origin != Origin::snapshot || options_.snapshot;
    const bool told = met || (wanted && selection_.passes(event));
    until_.note(event, told);
    if (!told) return;
    progress_.clear();
    ++told_;
    if (!teller_->tell(event, deadline_)) stop();
    if (met || (options_.count && told_ >= *options_.count)) ended_ = true;
  }

  /// A command of --exec was interrupted: by a signal, or since the time is over.
  void stop() {
    ended_ = true;
    if (deadline_ && Clock::now() >= *deadline_) timed_out();
  }

  /// Ends when all paths are in the state that is waited for.
  void check_state() {
    const auto reached = until_.reached();
    if (!reached) return;
    for (const Event& event : *reached) teller_->tell(event, deadline_);
    ended_ = true;
  }

  /// Finds out what a loss has hidden: by another queue, with a ring for all that is there now.
  void resync() {
    needs_resync_ = false;
    const bool was_in_snapshot = in_snapshot_ > 0;
    unsigned int pages = ring_pages_for(watches_.size());
    // Even the snapshot did not fit.
    if (was_in_snapshot) pages = std::max(pages, 2 * pages_);
    Queue queue;
    try {
      queue = open_queue(options_.directory, pages);
    } catch (const Failure& failure) {
      // It has gone, as the next wait will find.
      if (failure.status() == ExitStatus::no_daemon) return;
      throw;
    }
    if (was_in_snapshot && pages <= pages_) {
      error_.write(
          "watchq: what was missed cannot be looked up: the daemon gives no ring that is large "
          "enough (max_ring_pages)\n");
      for (std::size_t tag = 0; tag < watches_.size(); ++tag) {
        known_.abandon_snapshot(static_cast<unsigned int>(tag));
      }
      in_snapshot_ = 0;
      return;
    }
    pages_ = pages;
    queue_ = std::move(queue);
    watch_again();
  }

  /// Waits for records. Returns false when it is time to end.
  bool wait() {
    std::array<pollfd, 3> waited = {{{::watchq_fd(queue_.get()), POLLIN, 0},
                                     {signals_->fd(), POLLIN, 0},
                                     // Asked for nothing: tells when the reader has gone.
                                     {output_fd_, 0, 0}}};
    const int ready = ::poll(waited.data(), waited.size(), is_broken_ ? 0 : time_left(deadline_));
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    // What is there already is told however short the time is.
    const bool over = deadline_ && Clock::now() >= *deadline_;
    if (over && (ready <= 0 || in_snapshot_ == 0)) return timed_out();
    if (ready <= 0 && !is_broken_) return true;
    if (waited[1].revents != 0) return interrupted();
    if (waited[2].revents != 0) return false;
    const bool is_bad = (waited[0].revents & ~POLLIN) != 0;
    if (is_broken_ || (is_bad && ::watchq_wait(queue_.get(), 0) < 0)) return recover();
    return true;
  }

  /// The queue is of no use any more: mostly since its daemon has gone, or is about to. Returns
  /// false when it is time to end.
  bool recover() {
    is_broken_ = false;
    if (options_.reconnect) return reconnect();
    // A daemon that answers has not gone.
    if (::watchq_set_filter(::watchq_fd(queue_.get()), nullptr) == 0) throw broken_ring();
    throw daemon_gone(options_.directory);
  }

  /// Waits until the daemon is back, and watches again. Returns false when it is time to end.
  bool reconnect() {
    progress_.clear();
    error_.write("watchq: the daemon that served " + options_.directory +
                 " has gone; waiting for the next one (start it with: watchqd " +
                 options_.directory + ")\n");
    const auto since = Clock::now();
    queue_.reset();
    pages_ = ring_pages_for(watches_.size());
    DaemonWait waiting(options_.directory, signals_->fd(), output_fd_);
    switch (waiting.wait(deadline_, queue_, pages_)) {
      case DaemonWait::Result::interrupted:
        return interrupted();
      case DaemonWait::Result::timed_out:
        return timed_out();
      case DaemonWait::Result::open:
        break;
    }
    watch_again();
    const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
    error_.write("watchq: the daemon is back after " + std::to_string(gap.count()) +
                 " ms; what is otherwise now than before is told as 'meanwhile'" +
                 (options_.keys.empty() ? "" : ", but of keys nobody knows") + '\n');
    return true;
  }

  /// Sets all watches anew, in another queue.
  void watch_again() {
    in_snapshot_ = 0;
    for (std::size_t tag = 0; tag < watches_.size(); ++tag) {
      if (!is_set_[tag]) continue;
      const int failure = watch(tag);
      if (failure == 0) continue;
      // It has gone once more, as the next wait will find.
      if (failure == ENOTCONN || failure == ECONNABORTED) return;
      if (!is_gone(failure)) throw cannot_watch(watches_[tag], failure);
      Event event{Record::make(removal(), static_cast<unsigned int>(tag)),
                  {},
                  std::chrono::system_clock::now(),
                  {},
                  Origin::late,
                  {}};
      removed(static_cast<unsigned int>(tag), std::move(event));
    }
  }

  /// Told in place of the record that nobody could write.
  static watch_notification removal() {
    watch_notification header{};
    header.type = WATCH_TYPE_META;
    header.subtype = WATCH_META_REMOVAL_NOTIFICATION;
    return header;
  }

  /// A terminal shows ^C; what comes next begins a line.
  [[nodiscard]] bool interrupted() const {
    if (::isatty(error_.fd()) == 1) error_.write("\n");
    return false;
  }

  /// Returns false, where that is no failure.
  bool timed_out() const {
    if (options_.until) {
      throw Failure(ExitStatus::timed_out,
                    "timed out: '" + options_.until->name + "' did not come");
    }
    if (!options_.count) return false;
    throw Failure(ExitStatus::timed_out, "timed out: " + std::to_string(told_) + " of " +
                                             std::to_string(*options_.count) + " records came");
  }

  [[nodiscard]] Failure broken_ring() const {
    return {ExitStatus::failed, "the ring of " + options_.directory + " makes no sense any more"};
  }

  const MonitorOptions& options_;
  Output& error_;
  const std::vector<Watched> watches_;  // by tag
  std::vector<bool> is_set_;            // by tag
  std::size_t set_ = 0;
  std::size_t in_snapshot_ = 0;  // watches whose snapshot is not complete
  bool told_snapshot_ = false;
  bool needs_resync_ = false;
  bool is_broken_ = false;  // the ring's contents make no sense
  bool ended_ = false;
  KnownState known_;
  Until until_;
  Selection selection_;
  unsigned int pages_;  // of the ring
  Queue queue_;
  Progress progress_;
  std::optional<EndSignals> signals_;
  std::optional<Teller> teller_;
  int output_fd_ = -1;
  std::optional<Clock::time_point> deadline_;
  std::uint64_t told_ = 0;
};

}  // namespace

void monitor(const MonitorOptions& options, Output& output, Output& error) {
  Monitor monitor(options, output, error);
  const std::string until = options.until ? " until '" + options.until->name + "'" : "";
  error.write("watchq: watching " + list_of(named_in(options)) + until + '\n');
  monitor.run();
}

}  // namespace watchq
