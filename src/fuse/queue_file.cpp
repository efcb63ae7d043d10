// SPDX-License-Identifier: MIT
#include "fuse/queue_file.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/error.h"
#include "base/memfd.h"

namespace watchq {

QueueFile::QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner)
    : Wakeable(wakes),
      limits_(limits),
      owner_(owner),
      queue_share_(limits.queues.take(owner, 1)),
      queue_([this] { on_posted(); }, owner),
      shared_(false) {}

QueueFile::QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner, int device_fd)
    : Wakeable(wakes),
      limits_(limits),
      owner_(owner),
      queue_share_(limits.queues.take(owner, 1)),
      queue_([this] { on_posted(); }, owner),
      memfd_(create_memfd("watchq-ring")),
      backing_(device_fd, memfd_.get()),
      shared_(true) {}

QueueFile::QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner, PageCache& cache,
                     fuse_ino_t node)
    : Wakeable(wakes),
      limits_(limits),
      owner_(owner),
      queue_share_(limits.queues.take(owner, 1)),
      queue_([this] { on_posted(); }, owner),
      page_cache_(std::make_shared<PageCacheRing>(cache, queue_, owner, node, [this] { wake(); })),
      shared_(true) {
  queue_.hold_back();
}

QueueFile::~QueueFile() {
  if (poll_handle_ != nullptr) fuse_pollhandle_destroy(poll_handle_);
  wake_futex();
}

bool QueueFile::reply_open(fuse_req_t request, std::uint64_t handle) const {
  if (shared_ && !page_cache_) return backing_.reply_open(request, handle);
  fuse_file_info info{};
  info.fh = handle;
  info.keep_cache = shared_;
  info.direct_io = !shared_;
  info.nonseekable = 1;
  return fuse_reply_open(request, &info) == 0;
}

void QueueFile::set_size(std::uint64_t pages, const Done& done) {
  if (queue_.has_ring()) throw RequestError(EBUSY, "the queue has its size already");
  if (!std::has_single_bit(pages) || pages > limits_.max_ring_pages) {
    throw RequestError(EINVAL, "a ring has a power of two of pages, up to the limit");
  }
  UserLimit::Share share = limits_.pages.take(owner_, pages);
  try {
    allocate(pages * kPageBytes);
    page_share_ = std::move(share);
  } catch (const std::system_error& error) {
    throw RequestError(ENOMEM, error.what());
  }
  if (page_cache_) {
    page_cache_->create(done);
  } else {
    done();
  }
}

void QueueFile::allocate(std::size_t size) {
  if (!memfd_.valid()) {
    set_ring(Mapping::anonymous(size));
    return;
  }
  size_and_seal_memfd(memfd_.get(), size);
  set_ring(Mapping::shared(memfd_.get(), size));
  memfd_.reset();
  // The kernel looked the number up when it finished the open, which is before any ioctl.
  backing_ = BackingId();
}

void QueueFile::inject(std::span<const std::byte> bytes, const Done& done) {
  if (!queue_.has_ring()) throw RequestError(ENOBUFS, "the queue has no size yet");
  std::array<std::byte, kMaxRecordBytes> copy;
  queue_.post(checked_injection(bytes, copy));
  if (page_cache_) {
    page_cache_->deliver(done);
  } else {
    done();
  }
}

void QueueFile::refresh(const Done& done) {
  if (page_cache_ && queue_.has_ring()) {
    page_cache_->deliver(done);
  } else {
    done();
  }
}

void QueueFile::ensure_readable() {
  if (!shared_ && !queue_.has_ring()) {
    set_size(std::min(kReadOnlyPages, limits_.max_ring_pages), [] {});
  }
}

void QueueFile::read(fuse_req_t request, std::size_t size, bool nonblocking) {
  if (shared_) throw RequestError(EINVAL, "a queue opened O_RDWR is read through its mapping");
  ensure_readable();
  // Those who came first are served first.
  if (readers_.empty()) {
    const std::vector<std::byte> records = take_records(size);
    if (!records.empty()) {
      fuse_reply_buf(request, reinterpret_cast<const char*>(records.data()), records.size());
      return;
    }
  }
  if (nonblocking) throw RequestError(EAGAIN, "no records");
  readers_.add({request, size});
}

void QueueFile::poll(fuse_pollhandle* handle, const std::function<void(unsigned int)>& then) {
  if (handle != nullptr) {
    if (poll_handle_ != nullptr) fuse_pollhandle_destroy(poll_handle_);
    poll_handle_ = handle;
  }
  const auto report = [then](PageCacheRing::View view) {
    then((view.readable ? POLLIN | POLLRDNORM : 0U) | (view.broken ? POLLERR : 0U));
  };
  if (page_cache_ && queue_.has_ring()) {
    page_cache_->look(report);
  } else {
    report({queue_.readable(), queue_.broken()});
  }
}

void QueueFile::wake_head() {
  if (!shared_ || page_cache_) {
    throw RequestError(EOPNOTSUPP, "the ring's memory is not the client's");
  }
  wakes_head_ = true;
}

void QueueFile::on_posted() {
  if (page_cache_) {
    page_cache_->deliver();
  } else {
    wake_soon();
  }
}

void QueueFile::set_ring(Mapping memory) {
  queue_.set_ring(std::move(memory));
  if (!shared_) {
    watchq_ring_init(&own_consumer_.emplace(), queue_.memory().data(), queue_.memory().size());
  }
}

void QueueFile::wake() {
  readers_.serve(
      [this](const WaitingReaders::Reader& reader) { return take_records(reader.size); });
  wake_futex();
  // Whoever asked is woken, also when the ring looks as if it had not been empty: the client may be
  // about to sleep on the emptiness it saw, its last store of tail not yet visible here.
  if (poll_handle_ == nullptr) return;
  fuse_lowlevel_notify_poll(poll_handle_);
  fuse_pollhandle_destroy(std::exchange(poll_handle_, nullptr));
}

void QueueFile::wake_futex() const {
  if (!wakes_head_ || !queue_.has_ring()) return;
  // One: a ring has one consumer, and others may not cost us anything.
  ::syscall(SYS_futex, queue_.memory().data() + offsetof(watch_queue_buffer, meta.head), FUTEX_WAKE,
            1);
}

std::vector<std::byte> QueueFile::take_records(std::size_t size) {
  std::vector<std::byte> taken;
  watchq_ring& ring = *own_consumer_;
  for (;;) {
    const watchq_ring before = ring;
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    if (watchq_ring_next(&ring, &record, &length) != 1) break;
    if (taken.size() + length > size) {
      ring = before;
      if (taken.empty()) throw RequestError(EINVAL, "the buffer is smaller than the next record");
      break;
    }
    const auto bytes = std::as_bytes(std::span(record, length / sizeof *record));
    taken.insert(taken.end(), bytes.begin(), bytes.end());
  }
  watchq_ring_seen(&ring);
  return taken;
}

}  // namespace watchq
