// SPDX-License-Identifier: MIT
#include "fuse/filesystem.h"

#include <fcntl.h>
#include <poll.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "fuse/queue_view.h"
#include "fuse/reply.h"
#include "fuse/text_file.h"
#include "fuse/tree.h"

namespace watchq {

Peer caller_of(fuse_req_t request) { return Peer(fuse_req_ctx(request)->pid); }

Filesystem::Filesystem(boost::asio::io_context& io, Dispatcher& dispatcher, MountDirectory& mounts,
                       SuperblockDirectory& superblocks, QueueLimits& limits,
                       StreamLimits& stream_limits, CallLimits calls, Transport wanted, Texts texts)
    : dispatcher_(dispatcher),
      mounts_(mounts),
      superblocks_(superblocks),
      limits_(limits),
      texts_(std::move(texts)),
      wanted_(wanted),
      page_cache_(io),
      next_queue_node_(kFirstQueueNode),
      patient_calls_(io, calls.most, std::move(calls.on_refusal)),
      events_(wakes_, dispatcher, stream_limits, pending_calls_, patient_calls_) {
  dispatcher_.on_told([this] { wake_readers(); });
}

void Filesystem::start(fuse_session* session, int device_fd, bool offered) {
  device_fd_ = device_fd;
  page_cache_.start(session, device_fd);
  transport_ = choose_transport(wanted_, device_fd, offered);
}

void Filesystem::open(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (is_queue(node)) {
    open_queue(request, node, info.flags & O_ACCMODE);
  } else if (is_queue_view(node)) {
    open_queue_view(request, node);
  } else if (is_events(node)) {
    events_.open(request, node == kEventsNode ? EventFormat::text : EventFormat::json);
  } else {
    auto share = limits_.texts.take(fuse_req_ctx(request)->uid, 1);
    open_text(request, text_at(request, node), std::move(share));
  }
}

std::string Filesystem::text_at(fuse_req_t request, fuse_ino_t node) {
  if (node == kMetricsNode) return texts_.metrics();
  const Peer caller = caller_of(request);
  if (node == kStatusNode) return texts_.status(caller);
  auto text = is_superblock(node) ? superblocks_.describe(caller, superblock_id_of(node))
                                  : mounts_.describe(caller, mount_id_of(node));
  if (!text) throw RequestError(ENOENT);
  return *std::move(text);
}

void Filesystem::open_queue_view(fuse_req_t request, fuse_ino_t node) {
  const fuse_ino_t queue_node = queue_of_view(node);
  const uid_t user = fuse_req_ctx(request)->uid;
  const auto queue = queue_seen_by(user, queue_node);
  // When the queue is closed first, nobody calls back: then the end of this answers.
  const auto answer = std::make_shared<PendingAnswer>(pending_calls_, request, ENOENT);
  queue->refresh([this, answer, queue_node, user, weak = std::weak_ptr(queue)] {
    const auto open = weak.lock();
    fuse_req_t waiting = open ? answer->take() : nullptr;
    if (waiting == nullptr) return;
    reply_errno_of(waiting, [&] {
      open_text(waiting,
                describe_queue({inode_of(queue_node), open->owner(), open->is_read_only()},
                               open->queue(), dispatcher_.describe_watches(open->queue())),
                limits_.texts.take(user, 1));
    });
  });
}

void Filesystem::open_queue(fuse_req_t request, fuse_ino_t node, int access) {
  if (access == O_WRONLY) throw RequestError(EINVAL, "a queue is opened O_RDWR or O_RDONLY");
  // An open of an open queue, by /proc/PID/fd, would need a second ring behind the same node. A
  // path that led here in some race is walked anew on ESTALE.
  if (queues_.contains(node)) throw RequestError(ESTALE, "the queue is open already");
  const uid_t owner = fuse_req_ctx(request)->uid;
  std::shared_ptr<QueueFile> file;
  if (access == O_RDONLY) {
    file = std::make_shared<QueueFile>(wakes_, limits_, owner);
  } else if (transport_.transport == Transport::passthrough) {
    file = std::make_shared<QueueFile>(wakes_, limits_, owner, device_fd_);
  } else {
    file = std::make_shared<QueueFile>(wakes_, limits_, owner, page_cache_, node);
  }
  if (file->reply_open(request, node)) queues_.emplace(node, std::move(file));
}

void Filesystem::read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                      const fuse_file_info& info) {
  if (is_in_page_cache(node)) {
    const auto bytes =
        queue_at(node, EBADF).page_cache()->read(size, static_cast<std::uint64_t>(offset));
    fuse_reply_buf(request, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else if (is_queue(node)) {
    // What is read ahead (readahead(2)) nobody waits for or can interrupt, while it keeps the file
    // open: it must not wait for records. A read(2) names its lock owner, the page cache does not.
    if (info.lock_owner == 0) throw RequestError(EINVAL, "records are not read ahead");
    queue_at(node, EBADF).read(request, size, (info.flags & O_NONBLOCK) != 0);
  } else if (is_events(node)) {
    events_.at(info).read(request, size, offset, (info.flags & O_NONBLOCK) != 0);
  } else {
    read_text(request, size, offset, info);
  }
}

void Filesystem::write(fuse_req_t request, fuse_ino_t node, std::span<const std::byte> bytes,
                       off_t offset, const fuse_file_info& info) {
  QueueFile& file = queue_at(node, EBADF);
  if (info.writepage != 0) {
    // Not written by anybody: a page that was changed through a mapping.
    if (file.page_cache() != nullptr) {
      file.page_cache()->written_back(bytes, static_cast<std::uint64_t>(offset));
    }
  } else if (file.page_cache() != nullptr) {
    throw RequestError(EPERM, "records are injected by WATCHQ_IOC_INJECT");
  } else {
    file.inject(bytes, [] {});
  }
  fuse_reply_write(request, bytes.size());
}

void Filesystem::getxattr(fuse_req_t request, fuse_ino_t node, std::string_view name,
                          std::size_t size) {
  // What write(2) writes into the page cache never comes here, but overwrites the ring. Before that
  // the kernel wants to take the file's capabilities away, if it has some; which is refused.
  constexpr std::size_t kSomeSize = 20;
  if (transport_.transport != Transport::pagecache) throw RequestError(ENOSYS);
  if (!is_in_page_cache(node) || name != "security.capability" || size != 0) {
    throw RequestError(ENODATA);
  }
  fuse_reply_xattr(request, kSomeSize);
}

void Filesystem::poll(fuse_req_t request, fuse_ino_t node, fuse_pollhandle* handle,
                      const fuse_file_info& info) {
  if (is_queue(node)) {
    QueueFile& file = queue_at(node, EBADF);
    const PendingCalls::Id id = pending_calls_.add_poll(request);
    file.poll(handle, [this, id](unsigned int events) {
      if (auto* const waiting = pending_calls_.take(id)) fuse_reply_poll(waiting, events);
    });
    return;
  }
  if (is_events(node)) {
    fuse_reply_poll(request, events_.at(info).poll(handle));
    return;
  }
  if (handle != nullptr) fuse_pollhandle_destroy(handle);
  fuse_reply_poll(request, POLLIN | POLLRDNORM);
}

void Filesystem::release(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (is_events(node)) {
    events_.release(info);
  } else if (!is_queue(node)) {
    close_text(info);
  } else if (const auto file = queues_.find(node); file != queues_.end()) {
    const WatchQueue& queue = file->second->queue();
    closed_.posted += queue.posted();
    closed_.lost += queue.lost();
    dispatcher_.drop(queue);
    queues_.erase(file);
  }
  fuse_reply_err(request, 0);
}

void Filesystem::shut_down(std::function<void()> done) {
  pending_calls_.answer_all(ENOTCONN);
  queues_.clear();
  events_.clear();
  page_cache_.when_idle(std::move(done));
}

Filesystem::Totals Filesystem::totals() const {
  Totals totals = closed_;
  for (const auto& [node, file] : queues_) {
    totals.posted += file->queue().posted();
    totals.lost += file->queue().lost();
  }
  return totals;
}

bool Filesystem::is_in_page_cache(fuse_ino_t node) const {
  const auto file = queues_.find(node);
  return file != queues_.end() && file->second->page_cache() != nullptr;
}

QueueFile& Filesystem::queue_at(fuse_ino_t node, int error) {
  const auto file = queues_.find(node);
  if (file == queues_.end()) throw RequestError(error);
  return *file->second;
}

}  // namespace watchq
