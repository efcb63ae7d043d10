// SPDX-License-Identifier: MIT
#include "hostile/honest.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace watchq {
namespace {

constexpr unsigned int kFirstWatcherUser = 65500;
constexpr int kTag = 7;
constexpr int kPatienceMs = 1000;

struct Close {
  void operator()(watchq_queue* queue) const { ::watchq_close(queue); }
};
using Queue = std::unique_ptr<watchq_queue, Close>;
using Bytes = std::vector<std::byte>;

/// Where a watcher's records come from.
class Stream {
 public:
  virtual ~Stream() = default;
  [[nodiscard]] virtual int fd() const = 0;
  /// The next record, waited for some time; nothing when none came.
  virtual std::optional<Bytes> next() = 0;

  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

class MappedStream final : public Stream {
 public:
  MappedStream(const std::string& path, unsigned int pages)
      : queue_(::watchq_open(path.c_str(), pages)) {
    if (!queue_) throw_errno("watchq_open");
  }
  [[nodiscard]] int fd() const override { return ::watchq_fd(queue_.get()); }
  std::optional<Bytes> next() override {
    const int waited = ::watchq_wait(queue_.get(), kPatienceMs);
    if (waited == 0 || (waited < 0 && errno == EINTR)) return std::nullopt;
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    if (waited < 0 || ::watchq_next(queue_.get(), &record, &length) != 1) {
      throw_errno("waiting for a record");
    }
    const auto bytes = std::as_bytes(std::span(record, length / sizeof *record));
    return Bytes(bytes.begin(), bytes.end());
  }

 private:
  Queue queue_;
};

class ReadStream final : public Stream {
 public:
  explicit ReadStream(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (!fd_.valid()) throw_errno("open of a queue");
  }
  [[nodiscard]] int fd() const override { return fd_.get(); }
  std::optional<Bytes> next() override {
    if (read_.empty() && !fill()) return std::nullopt;
    watch_notification header{};
    std::memcpy(&header, read_.data(), sizeof header);
    const std::size_t length = header.info & WATCH_INFO_LENGTH;
    if (length == 0 || length > read_.size()) throw std::runtime_error("a record cut in two");
    Bytes record(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(length));
    read_.erase(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(length));
    return record;
  }

 private:
  bool fill() {
    pollfd waited{fd_.get(), POLLIN, 0};
    ::poll(&waited, 1, kPatienceMs);
    read_.resize(4096);
    const ssize_t got = ::read(fd_.get(), read_.data(), read_.size());
    const int error = errno;
    read_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got < 0 && error != EAGAIN && error != EINTR) {
      errno = error;
      throw_errno("read of a queue");
    }
    return got > 0;
  }

  UniqueFd fd_;
  Bytes read_;
};

/// The record of a step, whole.
mount_notification record_of(const MountStep& step, std::uint32_t base) {
  mount_notification record{};
  record.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
  record.watch.subtype = step.subtype & 0xff;
  record.watch.info = sizeof record | kTag << WATCH_INFO_ID__SHIFT;
  record.triggered_on = base;
  record.changed_mount = step.mount;
  return record;
}

std::string in_words(const Bytes& record) {
  std::array<char, 256> text{};
  // A copy with the alignment of a record.
  std::array<watch_notification, 63> copy{};
  std::memcpy(copy.data(), record.data(), record.size());
  ::watchq_record_format(copy.data(), record.size(), text.data(), text.size());
  return text.data();
}

void await(const std::atomic<std::uint64_t>& what) {
  const std::uint64_t end = now_ns() + kHangNs;
  while (what.load() == 0) {
    if (now_ns() > end) throw std::runtime_error("a record came of a mount that was never done");
    ::usleep(50);
  }
}

}  // namespace

void become(unsigned int user) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0 || ::prctl(PR_SET_DUMPABLE, 1) != 0) {
    throw_errno("giving up root");
  }
}

std::uint32_t mount_id_of_path(const std::string& path) {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &status) != 0) throw_errno("statx " + path);
  return static_cast<std::uint32_t>(status.stx_mnt_id);
}

Mounter::Mounter(Shared& shared, std::string directory)
    : shared_(shared), directory_(std::move(directory)) {}

void Mounter::log(std::uint32_t subtype, std::uint32_t mount) {
  const std::uint64_t number = shared_.steps_done.load();
  MountStep& step = shared_.steps[number % kSteps];
  step.subtype = subtype;
  step.mount = mount;
  step.done_at.store(now_ns());
  // The place of the next one is free: watchers are waited for long before the log has come round.
  shared_.steps[(number + 1) % kSteps].done_at.store(0);
  shared_.steps_done.store(number + 1);
}

void Mounter::burst(std::size_t mounts) {
  std::vector<std::pair<std::string, std::uint32_t>> made;
  for (std::size_t number = 0; number < mounts; ++number) {
    const std::string path = directory_ + "/m" + std::to_string(number);
    static_cast<void>(::mkdir(path.c_str(), 0755));
    if (::mount("stress", path.c_str(), "tmpfs", 0, "size=4k") != 0) throw_errno("mount " + path);
    made.emplace_back(path, mount_id_of_path(path));
    log(NOTIFY_MOUNT_NEW_MOUNT, made.back().second);
  }
  // What comes and goes before anybody looks has no place.
  await_watchers();
  for (const auto& [path, id] : made) {
    // Nobody but us was there: EBUSY would be the daemon's doing.
    if (::umount2(path.c_str(), 0) != 0) throw_errno("umount " + path);
    log(NOTIFY_MOUNT_UNMOUNT, id);
  }
  await_watchers();
}

void Mounter::await_watchers() const {
  const std::uint64_t end = now_ns() + kHangNs;
  for (std::size_t number = 0; number < kWatchers; ++number) {
    while (shared_.watchers[number].seen.load() != shared_.steps_done.load()) {
      if (shared_.stop.load()) return;
      if (now_ns() > end) {
        throw std::runtime_error("watcher " + std::to_string(number) + " hangs at record " +
                                 std::to_string(shared_.watchers[number].seen.load()) + " of " +
                                 std::to_string(shared_.steps_done.load()));
      }
      ::usleep(200);
    }
  }
}

void run_watcher(Shared& shared, std::size_t number, const std::string& queue,
                 const std::string& directory) {
  WatcherState& state = shared.watchers.at(number);
  const std::uint32_t base = mount_id_of_path(directory);
  const UniqueFd watched(::open(directory.c_str(), O_PATH | O_CLOEXEC));
  become(kFirstWatcherUser + static_cast<unsigned int>(number));
  std::unique_ptr<Stream> stream;
  if (number % 2 == 0) {
    stream = std::make_unique<MappedStream>(queue, 4);
  } else {
    stream = std::make_unique<ReadStream>(queue);
  }
  if (::watchq_mount_notify(watched.get(), "", AT_EMPTY_PATH, stream->fd(), kTag) != 0) {
    throw_errno("watchq_mount_notify");
  }
  state.ready.store(true);
  for (std::uint64_t seen = 0; !shared.stop.load() || seen < shared.steps_done.load();) {
    const auto record = stream->next();
    if (!record) continue;
    const std::uint64_t came_at = now_ns();
    const MountStep& step = shared.steps[seen % kSteps];
    await(step.done_at);
    const mount_notification due = record_of(step, base);
    if (record->size() != sizeof due || std::memcmp(record->data(), &due, sizeof due) != 0) {
      throw std::runtime_error("watcher " + std::to_string(number) + ", record " +
                               std::to_string(seen) + ": instead of mount " +
                               std::to_string(step.mount) + ", subtype " +
                               std::to_string(step.subtype) + " came: " + in_words(*record));
    }
    const std::uint64_t done_at = step.done_at.load();
    state.delays.add(came_at > done_at ? came_at - done_at : 0);
    state.seen.store(++seen);
  }
}

void run_injector(Shared& shared, const std::string& queue) {
  become(kFirstWatcherUser + kWatchers);
  MappedStream stream(queue, 1);
  std::array<watch_notification, 63> record{};
  for (std::uint32_t count = 0; !shared.stop.load(); ++count) {
    const std::uint32_t slots = 1 + count % 63;
    record.fill({});
    record[0].type = 0x7ffff1;
    record[0].subtype = count & 0xff;
    record[0].info = slots * 8;
    for (std::uint32_t slot = 1; slot < slots; ++slot) record[slot].info = count * 64 + slot;
    const std::uint64_t start = now_ns();
    if (::watchq_inject(stream.fd(), record.data(), slots * 8) != 0) throw_errno("watchq_inject");
    std::optional<Bytes> came;
    while (!(came = stream.next())) {
      if (now_ns() - start > kHangNs) throw std::runtime_error("an injected record never came");
    }
    if (came->size() != slots * 8 || std::memcmp(came->data(), record.data(), slots * 8) != 0) {
      throw std::runtime_error("instead of injected record " + std::to_string(count) +
                               " came: " + in_words(*came));
    }
    shared.injected.add(now_ns() - start);
  }
}

}  // namespace watchq
