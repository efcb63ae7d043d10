// SPDX-License-Identifier: MIT
#include "fuse/page_cache.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/uio.h>

#include <boost/asio/post.hpp>
#include <limits>
#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

/// Sends FUSE_NOTIFY_STORE. Not by libfuse, whose session may be gone before a thread that waits
/// here.
void send_store(int device, fuse_ino_t node, const PageCache::Piece& piece) {
  fuse_notify_store_out store{};
  store.nodeid = node;
  store.offset = piece.offset;
  store.size = static_cast<std::uint32_t>(piece.bytes.size());
  fuse_out_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + sizeof store + piece.bytes.size());
  header.error = FUSE_NOTIFY_STORE;
  const iovec parts[] = {{&header, sizeof header},
                         {&store, sizeof store},
                         {const_cast<std::byte*>(piece.bytes.data()), piece.bytes.size()}};
  // Where the mount has gone there is no cache to write to.
  static_cast<void>(!::writev(device, parts, 3));
}

}  // namespace

// One store of each queue waits at most: their limit is enough.
PageCache::PageCache(boost::asio::io_context& io)
    : io_(io),
      stores_(io, {.max_waiting_per_user = std::numeric_limits<std::uint64_t>::max()},
              [](uid_t, const auto&) {}) {}

void PageCache::start(fuse_session* session, int device_fd) {
  UniqueFd copy(::fcntl(device_fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
  device_ = std::make_shared<const UniqueFd>(std::move(copy));
  session_ = session;
}

void PageCache::retrieve(fuse_ino_t node, std::size_t size, Retrieved then) {
  const std::uintptr_t cookie = ++last_cookie_;
  retrieving_.emplace(cookie, std::move(then));
  // Later, because libfuse forbids notifications from within a request.
  boost::asio::post(io_, [this, node, size, cookie] {
    if (fuse_lowlevel_notify_retrieve(session_, node, size, 0, reinterpret_cast<void*>(cookie)) !=
        0) {
      on_reply(reinterpret_cast<void*>(cookie), {});
    }
  });
}

void PageCache::on_reply(const void* cookie, std::span<const std::byte> bytes) {
  auto waiting = retrieving_.extract(reinterpret_cast<std::uintptr_t>(cookie));
  if (!waiting.empty()) waiting.mapped()(bytes);
}

void PageCache::store(uid_t user, fuse_ino_t node, std::vector<Piece> pieces, Done done) {
  ++storing_;
  stores_.run(user,
              [this, device = device_, node, pieces = std::move(pieces),
               done = std::move(done)]() mutable -> PatientCalls::Continuation {
                for (const Piece& piece : pieces) send_store(device->get(), node, piece);
                return [this, done = std::move(done)] { stored(done); };
              });
}

void PageCache::stored(const Done& done) {
  --storing_;
  done();
  if (storing_ == 0 && when_idle_) std::exchange(when_idle_, nullptr)();
}

void PageCache::when_idle(Done done) {
  if (storing_ == 0) {
    done();
  } else {
    when_idle_ = std::move(done);
  }
}

}  // namespace watchq
