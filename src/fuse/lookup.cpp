// SPDX-License-Identifier: MIT
// Which files there are, for whom, and what stat(2) says of them.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/error.h"
#include "fuse/directory_reply.h"
#include "fuse/filesystem.h"
#include "fuse/tree.h"

namespace watchq {
namespace {

const TreeEntry* entry_at(fuse_ino_t node) {
  const auto* entry = std::find_if(kTree.begin(), kTree.end(), [&](const TreeEntry& candidate) {
    return candidate.node == node;
  });
  return entry == kTree.end() ? nullptr : entry;
}

/// The ID that a name is the one spelling of.
template <typename Id>
std::optional<Id> id_named(std::string_view name) {
  Id id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || std::to_string(id) != name) return std::nullopt;
  return id;
}

bool may_see(uid_t user, const QueueFile& queue) { return user == 0 || user == queue.owner(); }

}  // namespace

void Filesystem::lookup(fuse_req_t request, fuse_ino_t parent, std::string_view name) {
  fuse_entry_param reply{};
  reply.ino = find(request, parent, name);
  reply.attr = attributes(reply.ino);
  reply.attr_timeout = timeout_of(reply.ino);
  reply.entry_timeout = reply.attr_timeout;
  fuse_reply_entry(request, &reply);
}

fuse_ino_t Filesystem::find(fuse_req_t request, fuse_ino_t parent, std::string_view name) {
  if (parent == kMountsNode) {
    const auto id = id_named<std::uint32_t>(name);
    if (!id || !mounts_.shows(caller_of(request), *id)) throw RequestError(ENOENT);
    return kFirstMountNode + *id;
  }
  if (parent == kSuperblocksNode) {
    const auto id = id_named<std::uint64_t>(name);
    if (!id || !superblocks_.shows(caller_of(request), *id)) throw RequestError(ENOENT);
    return kFirstSuperblockNode + *id;
  }
  if (parent == kQueuesNode) {
    const auto id = id_named<ino_t>(name);
    if (!id) throw RequestError(ENOENT);
    const fuse_ino_t queue = queue_of_inode(*id, next_queue_node_);
    static_cast<void>(queue_seen_by(fuse_req_ctx(request)->uid, queue));
    return kFirstQueueViewNode + queue;
  }
  const auto* entry = std::find_if(kTree.begin(), kTree.end(), [&](const TreeEntry& candidate) {
    return candidate.name == name;
  });
  if (parent != kRootNode || entry == kTree.end()) throw RequestError(ENOENT);
  return entry->node == kQueueName ? next_queue_node_++ : entry->node;
}

struct stat Filesystem::attributes(fuse_ino_t node) const {
  struct stat attributes {};
  attributes.st_ino = inode_of(node);
  attributes.st_nlink = 1;
  if (node == kRootNode) {
    attributes.st_mode = kRootMode;
  } else if (const TreeEntry* entry = entry_at(node)) {
    attributes.st_mode = entry->mode;
  } else if (is_mount(node) || is_superblock(node)) {
    attributes.st_mode = kTextMode;
  } else if (is_queue_view(node)) {
    const auto queue = queues_.find(queue_of_view(node));
    if (queue == queues_.end()) throw RequestError(ENOENT);
    attributes.st_mode = kQueueViewMode;
    attributes.st_uid = queue->second->owner();
  } else {
    attributes.st_mode = kQueueMode;
    const auto queue = queues_.find(node);
    if (queue != queues_.end()) attributes.st_size = static_cast<off_t>(queue->second->size());
  }
  if (S_ISDIR(attributes.st_mode)) attributes.st_nlink = 2;
  return attributes;
}

void Filesystem::getattr(fuse_req_t request, fuse_ino_t node, bool for_file) {
  // The kernel asks about an open file for read(2) and lseek(2) of what is in the page cache, which
  // it then answers by itself: but a mapped queue is not read. stat(2) asks about the node.
  if (for_file && is_in_page_cache(node)) throw RequestError(EINVAL, "a queue is read by mmap");
  const struct stat reply = attributes(node);
  fuse_reply_attr(request, &reply, timeout_of(node));
}

void Filesystem::readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset) {
  DirectoryReply reply(request, size, offset);
  reply.add(".", node, kRootMode, 1);
  reply.add("..", kRootNode, kRootMode, 2);
  if (node == kRootNode) {
    off_t cookie = 3;
    for (const TreeEntry& entry : kTree) {
      reply.add(std::string(entry.name), entry.node, entry.mode, cookie++);
    }
  } else if (node == kSuperblocksNode) {
    for (const std::uint64_t id : superblocks_.list(caller_of(request))) {
      reply.add(std::to_string(id), kFirstSuperblockNode + id, kTextMode,
                static_cast<off_t>(id) + 3);
    }
  } else if (node == kQueuesNode) {
    list_queues(reply, fuse_req_ctx(request)->uid, offset);
  } else {
    // An ID's cookie is 3 more than itself: over those of "." and "..".
    const auto from = static_cast<std::uint32_t>(std::max<off_t>(offset, 2) - 2);
    const std::size_t most = size / DirectoryReply::kLeastBytes;
    for (const std::uint32_t id : mounts_.list(caller_of(request), from, most)) {
      reply.add(std::to_string(id), kFirstMountNode + id, kTextMode, off_t{id} + 3);
    }
  }
  reply.send();
}

void Filesystem::list_queues(DirectoryReply& reply, uid_t user, off_t offset) const {
  // A queue's node is its cookie: over those of "." and "..".
  const auto first = queues_.upper_bound(static_cast<fuse_ino_t>(offset));
  for (auto entry = first; entry != queues_.end(); ++entry) {
    const auto& [node, queue] = *entry;
    if (!may_see(user, *queue)) continue;
    if (!reply.add(std::to_string(inode_of(node)), kFirstQueueViewNode + node, kQueueViewMode,
                   static_cast<off_t>(node))) {
      return;
    }
  }
}

const std::shared_ptr<QueueFile>& Filesystem::queue_seen_by(uid_t user, fuse_ino_t queue) const {
  const auto found = queues_.find(queue);
  if (found == queues_.end() || !may_see(user, *found->second)) throw RequestError(ENOENT);
  return found->second;
}

}  // namespace watchq
