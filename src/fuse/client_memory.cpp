// SPDX-License-Identifier: MIT
#include "fuse/client_memory.h"

#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace watchq {

/// What outlives a ClientMemory whose threads still wait.
struct ClientMemory::Shared {
  std::mutex mutex;
  boost::asio::io_context* io;  // null once nobody wants results any more
  std::size_t reads = 0;
  std::map<uid_t, std::size_t> reads_of_user;

  /// Called by a reading thread as its last act.
  template <typename Result>
  void finished(uid_t user, Result result) {
    const std::lock_guard lock(mutex);
    --reads;
    if (--reads_of_user[user] == 0) reads_of_user.erase(user);
    if (io != nullptr) boost::asio::post(*io, std::move(result));
  }
};

namespace {

int try_read(const Peer& client, std::uint64_t address, std::size_t first,
             const ClientMemory::More& more, std::vector<std::byte>& bytes) {
  try {
    bytes.resize(first);
    client.read_memory(address, bytes);
    if (const std::size_t rest = more(bytes); rest != 0) {
      bytes.resize(first + rest);
      client.read_memory(address + first, std::span(bytes).subspan(first));
    }
    return 0;
  } catch (const RequestError& refusal) {
    return refusal.error();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

}  // namespace

ClientMemory::ClientMemory(boost::asio::io_context& io) : shared_(std::make_shared<Shared>()) {
  shared_->io = &io;
}

ClientMemory::~ClientMemory() {
  const std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
}

void ClientMemory::read(const Peer& client, std::uint64_t address, std::size_t first, More more,
                        Done done) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->reads == kMaxReads || shared_->reads_of_user[client.uid()] == kMaxReadsPerUser) {
    throw RequestError(EAGAIN, "too many reads of clients' memory wait already");
  }
  std::thread([shared = shared_, client, address, first, more = std::move(more),
               done = std::move(done)]() mutable {
    std::vector<std::byte> bytes;
    const int error = try_read(client, address, first, more, bytes);
    shared->finished(client.uid(),
                     [done = std::move(done), error, bytes = std::move(bytes)]() mutable {
                       done(error, std::move(bytes));
                     });
  }).detach();
  ++shared_->reads;
  ++shared_->reads_of_user[client.uid()];
}

}  // namespace watchq
