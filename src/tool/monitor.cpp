// SPDX-License-Identifier: MIT
#include "tool/monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <memory>
#include <system_error>

#include "base/error.h"
#include "base/unique_fd.h"
#include "tool/failure.h"
#include "tool/mount_paths.h"
#include "tool/read_file.h"
#include "tool/record.h"
#include "tool/render.h"

namespace watchq {
namespace {

using Clock = std::chrono::steady_clock;

struct Close {
  void operator()(watchq_queue* queue) const { ::watchq_close(queue); }
};
using Queue = std::unique_ptr<watchq_queue, Close>;

Queue open_queue(const std::string& directory) {
  Queue queue(::watchq_open((directory + "/" WATCHQ_QUEUE_NAME).c_str(), WATCHQ_DEFAULT_PAGES));
  if (!queue) throw cannot_open(directory, WATCHQ_QUEUE_NAME, errno);
  return queue;
}

Failure cannot_watch(const std::string& path, int error) {
  std::string reason = std::system_category().message(error);
  if (error == EBUSY) reason = "it is named twice";
  if (error == EOPNOTSUPP) reason = "the daemon cannot see mounts here; 'watchq status' says why";
  return {ExitStatus::failed, "cannot watch " + path + ": " + reason};
}

/// The queue with all its watches.
Queue open_watches(const MonitorOptions& options) {
  Queue queue = open_queue(options.directory);
  int tag = 0;
  for (const std::string& path : options.mounts) {
    if (::watchq_mount_notify(AT_FDCWD, path.c_str(), 0, ::watchq_fd(queue.get()), tag++) != 0) {
      throw cannot_watch(path, errno);
    }
  }
  return queue;
}

/// SIGINT and SIGTERM, told by a descriptor as long as this lives.
class EndSignals {
 public:
  EndSignals() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    fd_ = UniqueFd(::signalfd(-1, &signals_, SFD_CLOEXEC));
    if (!fd_.valid()) throw_errno("signalfd");
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() {
    // What has come has been heeded; unblocked now, it would kill the process.
    const timespec at_once{};
    while (::sigtimedwait(&signals_, nullptr, &at_once) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  /// Readable when one has come.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  sigset_t signals_;
  sigset_t before_;
  UniqueFd fd_;
};

class Monitor {
 public:
  Monitor(const MonitorOptions& options, Output& output)
      : options_(options),
        output_(output),
        queue_(open_watches(options)),
        watches_(options.mounts.size()) {
    if (options.timeout) deadline_ = Clock::now() + *options.timeout;
  }

  void run() {
    do {
      print(take());
      if (options_.count && printed_ >= *options_.count) return;
      if (watches_ == 0) throw Failure(ExitStatus::failed, "what was watched has gone");
    } while (wait());
  }

 private:
  /// All records that are there now.
  std::vector<Record> take() {
    std::vector<Record> records;
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    int found = 0;
    while ((found = ::watchq_next(queue_.get(), &record, &length)) == 1) {
      records.emplace_back(record, length);
    }
    if (found < 0) throw broken_ring();
    return records;
  }

  void print(const std::vector<Record>& records) {
    const auto now = std::chrono::system_clock::now();
    const auto paths = paths_.paths_of(records);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (options_.count && printed_ >= *options_.count) return;
      print(records[i], {now, paths[i]});
    }
  }

  void print(const Record& record, Setting setting) {
    if (record.type() == WATCH_TYPE_META && record.subtype() == WATCH_META_REMOVAL_NOTIFICATION) {
      --watches_;
      setting.path = options_.mounts.at(record.tag());
    }
    if (record.has(WATCH_INFO_OVERRUN | WATCH_INFO_ENOMEM)) {
      write(options_.json ? json_loss_line(record, setting) : text_loss_line(record, setting));
    }
    write(options_.json ? json_line(record, setting) : text_line(record, setting));
    ++printed_;
  }

  void write(const std::string& line) { output_.write(line + '\n'); }

  /// Waits for records. Returns false when it is time to end.
  bool wait() {
    std::array<pollfd, 3> waited = {{{::watchq_fd(queue_.get()), POLLIN, 0},
                                     {signals_.fd(), POLLIN, 0},
                                     // Asked for nothing: tells when the reader has gone.
                                     {output_.fd(), 0, 0}}};
    const int ready = ::poll(waited.data(), waited.size(), time_left());
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    if (ready == 0 && deadline_ && Clock::now() >= *deadline_) return timed_out();
    if (ready <= 0) return true;
    if (waited[1].revents != 0 || waited[2].revents != 0) return false;
    if ((waited[0].revents & ~POLLIN) != 0 && ::watchq_wait(queue_.get(), 0) < 0) {
      throw errno == ENOTCONN ? daemon_gone(options_.directory) : broken_ring();
    }
    return true;
  }

  [[nodiscard]] int time_left() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now());
    return static_cast<int>(
        std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
  }

  [[nodiscard]] bool timed_out() const {
    if (!options_.count) return false;
    throw Failure(ExitStatus::timed_out, "timed out: " + std::to_string(printed_) + " of " +
                                             std::to_string(*options_.count) + " records came");
  }

  [[nodiscard]] Failure broken_ring() const {
    return {ExitStatus::failed, "the ring of " + options_.directory + " makes no sense any more"};
  }

  const MonitorOptions& options_;
  Output& output_;
  Queue queue_;
  // Signals end it the usual way as long as the daemon may keep it waiting.
  EndSignals signals_;
  // Read after the watches are set: a mount is in here, or a record of it comes.
  MountPaths paths_{[] { return read_file("/proc/self/mountinfo"); }};
  std::size_t watches_;  // that are still set
  std::optional<Clock::time_point> deadline_;
  std::uint64_t printed_ = 0;
};

}  // namespace

void monitor(const MonitorOptions& options, Output& output, Output& error) {
  Monitor monitor(options, output);
  std::string watched;
  for (const std::string& path : options.mounts) watched += (watched.empty() ? "" : ", ") + path;
  error.write("watchq: watching the mounts under " + watched + '\n');
  monitor.run();
}

}  // namespace watchq
