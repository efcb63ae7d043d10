// SPDX-License-Identifier: MIT
#include "fuse/filesystem.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fuse/tree.h"

namespace watchq {
namespace {

const TreeEntry* entry_at(fuse_ino_t node) {
  const auto* entry = std::find_if(kTree.begin(), kTree.end(), [&](const TreeEntry& candidate) {
    return candidate.node == node;
  });
  return entry == kTree.end() ? nullptr : entry;
}

const std::string& text_of(const fuse_file_info& info) {
  return *reinterpret_cast<const std::string*>(info.fh);
}

void reply_slice(fuse_req_t request, std::string_view text, std::size_t size, off_t offset) {
  const auto start = std::min(static_cast<std::size_t>(offset), text.size());
  const std::string_view slice = text.substr(start, size);
  fuse_reply_buf(request, slice.data(), slice.size());
}

}  // namespace

Filesystem::Filesystem(boost::asio::io_context& io, Dispatcher& dispatcher,
                       const FilesystemOptions& options, std::function<std::string()> status)
    : io_(io),
      dispatcher_(dispatcher),
      options_(options),
      status_(std::move(status)),
      next_queue_node_(kFirstQueueNode),
      client_memory_(io) {}

void Filesystem::lookup(fuse_req_t request, fuse_ino_t parent, std::string_view name) {
  const auto* entry = std::find_if(kTree.begin(), kTree.end(), [&](const TreeEntry& candidate) {
    return candidate.name == name;
  });
  if (parent != kRootNode || entry == kTree.end()) throw RequestError(ENOENT);
  fuse_entry_param reply{};
  reply.ino = entry->node == kQueueName ? next_queue_node_++ : entry->node;
  reply.attr = attributes(reply.ino);
  reply.attr_timeout = entry->node == kQueueName ? kQueueTimeout : kFixedTimeout;
  reply.entry_timeout = reply.attr_timeout;
  fuse_reply_entry(request, &reply);
}

struct stat Filesystem::attributes(fuse_ino_t node) const {
  struct stat attributes {};
  attributes.st_ino = node;
  attributes.st_nlink = 1;
  if (node == kRootNode) {
    attributes.st_mode = kRootMode;
    attributes.st_nlink = 2;
  } else if (const TreeEntry* entry = entry_at(node)) {
    attributes.st_mode = entry->mode;
  } else {
    attributes.st_mode = kQueueMode;
    const auto queue = queues_.find(node);
    if (queue != queues_.end()) attributes.st_size = static_cast<off_t>(queue->second->size());
  }
  return attributes;
}

void Filesystem::getattr(fuse_req_t request, fuse_ino_t node) {
  const struct stat reply = attributes(node);
  fuse_reply_attr(request, &reply, node >= kFirstQueueNode ? kQueueTimeout : kFixedTimeout);
}

void Filesystem::readdir(fuse_req_t request, std::size_t size, off_t offset) {
  std::vector<TreeEntry> entries = {{".", kRootNode, kRootMode}, {"..", kRootNode, kRootMode}};
  entries.insert(entries.end(), kTree.begin(), kTree.end());
  std::vector<char> reply(size);
  std::size_t used = 0;
  for (auto at = static_cast<std::size_t>(offset); at < entries.size(); ++at) {
    struct stat attributes {};
    attributes.st_ino = entries[at].node;
    attributes.st_mode = entries[at].mode;
    const std::size_t length =
        fuse_add_direntry(request, reply.data() + used, size - used, entries[at].name.data(),
                          &attributes, static_cast<off_t>(at + 1));
    if (used + length > size) break;
    used += length;
  }
  fuse_reply_buf(request, reply.data(), used);
}

void Filesystem::open(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (node >= kFirstQueueNode) {
    open_queue(request, node, info.flags & O_ACCMODE);
  } else {
    open_status(request);
  }
}

void Filesystem::open_queue(fuse_req_t request, fuse_ino_t node, int access) {
  if (access == O_WRONLY) throw RequestError(EINVAL, "a queue is opened O_RDWR or O_RDONLY");
  // An open of an open queue, by /proc/PID/fd, would need a second ring behind the same node. A
  // path that led here in some race is walked anew on ESTALE.
  if (queues_.contains(node)) throw RequestError(ESTALE, "the queue is open already");
  if (access == O_RDWR && !passthrough()) {
    throw RequestError(EOPNOTSUPP, "no passthrough: see status");
  }
  auto file = access == O_RDWR ? std::make_shared<QueueFile>(io_, device_fd_)
                               : std::make_shared<QueueFile>(io_);
  if (file->reply_open(request, node)) queues_.emplace(node, std::move(file));
}

void Filesystem::open_status(fuse_req_t request) {
  // The text as of now, the same for all reads of this open.
  auto text = std::make_unique<std::string>(status_());
  fuse_file_info info{};
  info.fh = reinterpret_cast<std::uint64_t>(text.get());
  info.direct_io = 1;
  if (fuse_reply_open(request, &info) == 0) (void)text.release();
}

void Filesystem::read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                      const fuse_file_info& info) {
  if (node == kStatusNode) {
    reply_slice(request, text_of(info), size, offset);
  } else {
    queue_at(node, EBADF).read(request, size, (info.flags & O_NONBLOCK) != 0);
  }
}

void Filesystem::write(fuse_req_t request, fuse_ino_t node, std::span<const std::byte> bytes) {
  queue_at(node, EBADF).inject(bytes);
  fuse_reply_write(request, bytes.size());
}

void Filesystem::poll(fuse_req_t request, fuse_ino_t node, fuse_pollhandle* handle) {
  if (node >= kFirstQueueNode) {
    queue_at(node, EBADF).poll(request, handle);
    return;
  }
  if (handle != nullptr) fuse_pollhandle_destroy(handle);
  fuse_reply_poll(request, POLLIN | POLLRDNORM);
}

void Filesystem::release(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (node == kStatusNode) {
    delete &text_of(info);
  } else if (const auto file = queues_.find(node); file != queues_.end()) {
    const WatchQueue& queue = file->second->queue();
    closed_.posted += queue.posted();
    closed_.lost += queue.lost();
    dispatcher_.drop(queue);
    queues_.erase(file);
  }
  fuse_reply_err(request, 0);
}

Filesystem::Totals Filesystem::totals() const {
  Totals totals = closed_;
  for (const auto& [node, file] : queues_) {
    totals.posted += file->queue().posted();
    totals.lost += file->queue().lost();
  }
  return totals;
}

QueueFile& Filesystem::queue_at(fuse_ino_t node, int error) {
  const auto file = queues_.find(node);
  if (file == queues_.end()) throw RequestError(error);
  return *file->second;
}

}  // namespace watchq
