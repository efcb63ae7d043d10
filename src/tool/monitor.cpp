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

/// A path that is watched, or for what is watched all over the place none.
struct Watched {
  std::string path;
  std::optional<std::string> shown;  ///< in lines of its records, where they name no path
};

/// What is watched, by tag.
std::vector<Watched> watched_of(const MonitorOptions& options) {
  std::vector<Watched> all;
  for (const std::string& path : options.mounts) all.push_back({path, std::nullopt});
  for (const std::string& path : options.superblocks) all.push_back({path, path});
  for (const NamedKey& key : options.keys) all.push_back({key.name, key.name});
  if (options.all_superblocks) all.push_back({"/", std::nullopt});
  return all;
}

Failure cannot_watch(const std::string& path, int error, const char* what) {
  std::string reason = std::system_category().message(error);
  if (error == EBUSY) reason = "it is named twice";
  if (error == EOPNOTSUPP) {
    reason = std::string("the daemon cannot see ") + what + " here; 'watchq status' says why";
  }
  return {ExitStatus::failed, "cannot watch " + path + ": " + reason};
}

/// Watches the superblock that holds a path, or with WATCHQ_ALL all below it.
bool watch_superblock(const MonitorOptions& options, const std::string& path, int fd, int tag,
                      std::uint32_t flags) {
  if (!options.free) return ::watchq_watch_sb(AT_FDCWD, path.c_str(), 0, fd, tag, flags) == 0;
  return ::watchq_watch_sb_space(AT_FDCWD, path.c_str(), 0, fd, tag, flags, options.free->kind,
                                 options.free->value) == 0;
}

/// Watches a key; a keyring with what is linked below it.
bool watch_key(const NamedKey& key, int fd, int tag) {
  if (::watchq_watch_key(key.serial, fd, tag, WATCHQ_CHILDREN) == 0) return true;
  return errno == EINVAL && ::watchq_watch_key(key.serial, fd, tag, 0) == 0;
}

/// The queue with all its watches.
Queue open_watches(const MonitorOptions& options) {
  Queue queue = open_queue(options.directory);
  int tag = 0;
  const int fd = ::watchq_fd(queue.get());
  for (const std::string& path : options.mounts) {
    if (::watchq_mount_notify(AT_FDCWD, path.c_str(), 0, fd, tag++) != 0) {
      throw cannot_watch(path, errno, "mounts");
    }
  }
  for (const std::string& path : options.superblocks) {
    if (!watch_superblock(options, path, fd, tag++, 0)) {
      throw cannot_watch(path, errno, "filesystems");
    }
  }
  for (const NamedKey& key : options.keys) {
    if (!watch_key(key, fd, tag++)) throw cannot_watch("key " + key.name, errno, "keys");
  }
  if (options.all_superblocks && !watch_superblock(options, "/", fd, tag++, WATCHQ_ALL)) {
    throw cannot_watch("all filesystems", errno, "filesystems");
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
        watched_(watched_of(options)),
        watches_(watched_.size()) {
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
      setting.path = watched_.at(record.tag()).path;
    } else if (record.type() == WATCH_TYPE_SB_NOTIFY || record.type() == WATCH_TYPE_KEY_NOTIFY) {
      setting.path = watched_.at(record.tag()).shown;
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
  const std::vector<Watched> watched_;  // by tag
  std::size_t watches_;                 // that are still set
  std::optional<Clock::time_point> deadline_;
  std::uint64_t printed_ = 0;
};

std::string list_of(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + path;
  return list;
}

}  // namespace

void monitor(const MonitorOptions& options, Output& output, Output& error) {
  Monitor monitor(options, output);
  std::string watched = "watchq: watching ";
  if (!options.mounts.empty()) watched += "the mounts under " + list_of(options.mounts);
  if (!options.superblocks.empty()) {
    watched += (options.mounts.empty() ? "" : " and ") +
               ("the filesystems of " + list_of(options.superblocks));
  }
  bool first = options.mounts.empty() && options.superblocks.empty();
  for (const NamedKey& key : options.keys) {
    watched += (first ? "key " : " and key ") + key.name;
    first = false;
  }
  if (options.all_superblocks) watched += first ? "all filesystems" : " and all filesystems";
  error.write(watched + '\n');
  monitor.run();
}

}  // namespace watchq
