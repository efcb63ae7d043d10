// SPDX-License-Identifier: MIT
#include "fuse/filesystem.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/memfd.h"
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

/// An open file of text: as of when it was opened, the same for all its reads.
struct OpenText {
  std::string text;
  UserLimit::Share share;
};

const OpenText& text_of(const fuse_file_info& info) {
  return *reinterpret_cast<const OpenText*>(info.fh);
}

void reply_slice(fuse_req_t request, std::string_view text, std::size_t size, off_t offset) {
  const auto start = std::min(static_cast<std::size_t>(offset), text.size());
  const std::string_view slice = text.substr(start, size);
  fuse_reply_buf(request, slice.data(), slice.size());
}

void open_text(fuse_req_t request, UserLimit::Share share, std::string text) {
  auto kept = std::make_unique<OpenText>(std::move(text), std::move(share));
  fuse_file_info info{};
  info.fh = reinterpret_cast<std::uint64_t>(kept.get());
  info.direct_io = 1;
  if (fuse_reply_open(request, &info) == 0) static_cast<void>(kept.release());
}

/// Collects directory entries from where the last reply ended, up to what fits.
class DirectoryReply {
 public:
  DirectoryReply(fuse_req_t request, std::size_t size, off_t offset)
      : request_(request), bytes_(size), offset_(offset) {}

  /// `cookie` grows from entry to entry and is where to go on behind this one.
  void add(const std::string& name, fuse_ino_t node, mode_t mode, off_t cookie) {
    if (full_ || cookie <= offset_) return;
    struct stat attributes {};
    attributes.st_ino = inode_of(node);
    attributes.st_mode = mode;
    const std::size_t left = bytes_.size() - used_;
    const std::size_t length =
        fuse_add_direntry(request_, bytes_.data() + used_, left, name.c_str(), &attributes, cookie);
    full_ = length > left;
    if (!full_) used_ += length;
  }
  void send() { fuse_reply_buf(request_, bytes_.data(), used_); }

 private:
  fuse_req_t request_;
  std::vector<char> bytes_;
  off_t offset_;
  std::size_t used_ = 0;
  bool full_ = false;
};

TransportInUse choose_transport(Transport wanted, int device_fd, bool offered) {
  if (wanted == Transport::pagecache) return {wanted, "--transport pagecache asks for this one"};
  std::string why = "the kernel offers no FUSE passthrough (Linux 6.9)";
  if (offered) {
    try {
      const UniqueFd file = create_memfd("watchq-probe");
      static_cast<void>(BackingId(device_fd, file.get()));
      return {Transport::passthrough, ""};
    } catch (const std::system_error& error) {
      why = std::string("FUSE passthrough needs CAP_SYS_ADMIN: ") + error.what();
    }
  }
  if (wanted == Transport::passthrough) {
    throw std::runtime_error("--transport passthrough: " + why + "; use --transport auto");
  }
  return {Transport::pagecache, why};
}

}  // namespace

Peer caller_of(fuse_req_t request) { return Peer(fuse_req_ctx(request)->pid); }

Filesystem::Filesystem(boost::asio::io_context& io, Dispatcher& dispatcher, MountDirectory& mounts,
                       SuperblockDirectory& superblocks, QueueLimits& limits, CallLimits calls,
                       Transport wanted, std::function<std::string(const Peer&)> status)
    : io_(io),
      dispatcher_(dispatcher),
      mounts_(mounts),
      superblocks_(superblocks),
      limits_(limits),
      status_(std::move(status)),
      wanted_(wanted),
      page_cache_(io),
      next_queue_node_(kFirstQueueNode),
      patient_calls_(io, calls.most, std::move(calls.on_refusal)) {}

void Filesystem::start(fuse_session* session, int device_fd, bool offered) {
  device_fd_ = device_fd;
  page_cache_.start(session, device_fd);
  transport_ = choose_transport(wanted_, device_fd, offered);
}

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
    for (const TreeEntry& entry : kTree) {
      reply.add(std::string(entry.name), entry.node, entry.mode,
                static_cast<off_t>(entry.node + 2));
    }
  } else if (node == kSuperblocksNode) {
    for (const std::uint64_t id : superblocks_.list(caller_of(request))) {
      reply.add(std::to_string(id), kFirstSuperblockNode + id, kTextMode,
                static_cast<off_t>(id) + 3);
    }
  } else {
    for (const std::uint32_t id : mounts_.list(caller_of(request))) {
      reply.add(std::to_string(id), kFirstMountNode + id, kTextMode, off_t{id} + 3);
    }
  }
  reply.send();
}

void Filesystem::open(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (is_queue(node)) {
    open_queue(request, node, info.flags & O_ACCMODE);
  } else {
    auto share = limits_.texts.take(fuse_req_ctx(request)->uid, 1);
    open_text(request, std::move(share), text_at(request, node));
  }
}

std::string Filesystem::text_at(fuse_req_t request, fuse_ino_t node) {
  const Peer caller = caller_of(request);
  if (node == kStatusNode) return status_(caller);
  auto text = is_superblock(node) ? superblocks_.describe(caller, superblock_id_of(node))
                                  : mounts_.describe(caller, mount_id_of(node));
  if (!text) throw RequestError(ENOENT);
  return *std::move(text);
}

void Filesystem::open_queue(fuse_req_t request, fuse_ino_t node, int access) {
  if (access == O_WRONLY) throw RequestError(EINVAL, "a queue is opened O_RDWR or O_RDONLY");
  // An open of an open queue, by /proc/PID/fd, would need a second ring behind the same node. A
  // path that led here in some race is walked anew on ESTALE.
  if (queues_.contains(node)) throw RequestError(ESTALE, "the queue is open already");
  const uid_t owner = fuse_req_ctx(request)->uid;
  std::shared_ptr<QueueFile> file;
  if (access == O_RDONLY) {
    file = std::make_shared<QueueFile>(io_, limits_, owner);
  } else if (transport_.transport == Transport::passthrough) {
    file = std::make_shared<QueueFile>(io_, limits_, owner, device_fd_);
  } else {
    file = std::make_shared<QueueFile>(io_, limits_, owner, page_cache_, node);
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
    queue_at(node, EBADF).read(request, size, (info.flags & O_NONBLOCK) != 0);
  } else {
    reply_slice(request, text_of(info).text, size, offset);
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

void Filesystem::poll(fuse_req_t request, fuse_ino_t node, fuse_pollhandle* handle) {
  if (is_queue(node)) {
    QueueFile& file = queue_at(node, EBADF);
    const PendingCalls::Id id = pending_calls_.add(request);
    file.poll(handle, [this, id](unsigned int events) {
      if (auto* const waiting = pending_calls_.take(id)) fuse_reply_poll(waiting, events);
    });
    return;
  }
  if (handle != nullptr) fuse_pollhandle_destroy(handle);
  fuse_reply_poll(request, POLLIN | POLLRDNORM);
}

void Filesystem::release(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info) {
  if (!is_queue(node)) {
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

void Filesystem::shut_down(std::function<void()> done) {
  pending_calls_.answer_all(ENOTCONN);
  queues_.clear();
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
