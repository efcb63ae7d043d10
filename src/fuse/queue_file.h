// SPDX-License-Identifier: MIT
// QueueFile: one open file of `queue`: its watch queue, those who read it and those who poll it.
#pragma once

#include <watchq/ring.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "base/user_limit.h"
#include "fuse/api.h"
#include "fuse/page_cache_ring.h"
#include "fuse/passthrough.h"
#include "fuse/waiting_readers.h"
#include "fuse/wake_list.h"
#include "queue/watch_queue.h"

namespace watchq {

/// What queues and the other files below the mount point may use.
struct QueueLimits {
  std::uint32_t max_ring_pages;
  UserLimit queues;
  UserLimit pages;
  UserLimit texts;  ///< open files of text
};

/// Opened O_RDWR its ring is shared with the client through a memfd or, where the kernel cannot do
/// that, through the page cache; opened O_RDONLY the ring is ours alone and read(2) hands its
/// records over. All on the serving thread.
class QueueFile final : public Wakeable {
 public:
  /// The size a queue is given that is only read and was never asked for another.
  static constexpr std::uint32_t kReadOnlyPages = 16;

  /// Opened O_RDONLY by this user. `wakes` and `limits` outlive this. Throws RequestError(EMFILE)
  /// when there are too many queues.
  QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner);
  /// Opened O_RDWR. `device_fd` is the FUSE device. Throws std::system_error.
  QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner, int device_fd);
  /// Opened O_RDWR as this node, to be mapped from the page cache.
  QueueFile(WakeList& wakes, QueueLimits& limits, uid_t owner, PageCache& cache, fuse_ino_t node);
  ~QueueFile();

  /// Answers the OPEN. Returns whether the file is now open.
  [[nodiscard]] bool reply_open(fuse_req_t request, std::uint64_t handle) const;

  /// Allocates the ring. Throws RequestError: EBUSY when done before, EINVAL for a number of pages
  /// that is no power of two or over the limit, ENOSPC when the owner's rings have too many,
  /// ENOMEM. Calls `done`, now or later, when it can be mapped.
  using Done = std::function<void()>;
  void set_size(std::uint64_t pages, const Done& done);

  /// Injects one record. Throws RequestError: ENOBUFS without a ring, EINVAL for no record. Calls
  /// `done`, now or later, when the client can see it.
  void inject(std::span<const std::byte> bytes, const Done& done);

  /// Answers a read(2), at once or when there is something to read.
  void read(fuse_req_t request, std::size_t size, bool nonblocking);

  /// Gives what a poll(2) reports, now or later. A `handle` is taken over: the poller is woken by
  /// the next record.
  void poll(fuse_pollhandle* handle, const std::function<void(unsigned int)>& then);

  /// Calls `done`, now or later, when the ring's memory has the client's indices of now. Not at all
  /// when this goes before.
  void refresh(const Done& done);

  /// From now on who waits on the ring's head by futex(2) is woken too. Throws
  /// RequestError(EOPNOTSUPP) when the client does not share the ring's memory.
  void wake_head();

  /// Makes sure that a queue which is only read has a ring.
  void ensure_readable();

  /// The pages its client has mapped; null where they are the ring itself.
  [[nodiscard]] PageCacheRing* page_cache() { return page_cache_.get(); }
  [[nodiscard]] WatchQueue& queue() { return queue_; }
  [[nodiscard]] uid_t owner() const { return owner_; }
  [[nodiscard]] bool is_read_only() const { return !shared_; }
  [[nodiscard]] std::size_t size() const { return queue_.memory().size(); }

 private:
  void allocate(std::size_t size);
  void set_ring(Mapping memory);
  void on_posted();
  void wake() override;
  void wake_futex() const;
  /// Fills `bytes` with whole records and consumes them. Throws RequestError(EINVAL) when the first
  /// is longer than `size`.
  std::vector<std::byte> take_records(std::size_t size);

  QueueLimits& limits_;
  const uid_t owner_;
  UserLimit::Share queue_share_;
  UserLimit::Share page_share_;
  WatchQueue queue_;
  // Set until the ring has its size: afterwards the mappings keep the memory.
  UniqueFd memfd_;
  BackingId backing_;
  std::shared_ptr<PageCacheRing> page_cache_;
  std::optional<watchq_ring> own_consumer_;  // of a queue opened O_RDONLY
  bool shared_;
  bool wakes_head_ = false;
  fuse_pollhandle* poll_handle_ = nullptr;
  WaitingReaders readers_;
};

}  // namespace watchq
