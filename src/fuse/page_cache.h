// SPDX-License-Identifier: MIT
// PageCache: reads and writes what the kernel has cached of our files, and clients have mapped.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"
#include "fuse/api.h"
#include "fuse/patient_calls.h"

namespace watchq {

/// What a ring needs of it.
class PageStore {
 public:
  /// Is given what was in the cache: nothing where the page was not there.
  using Retrieved = std::function<void(std::span<const std::byte>)>;
  using Done = std::function<void()>;

  /// Bytes of a file, within one page of it.
  struct Piece {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
  };

  /// Fetches the first `size` bytes of a file as its clients see them, soon.
  virtual void retrieve(fuse_ino_t node, std::size_t size, Retrieved then) = 0;
  /// Stores one piece after the other for a client of this user, then calls `done`. A page that is
  /// not in the cache, or cannot be, is asked of us when somebody touches it: no failure matters.
  virtual void store(uid_t user, fuse_ino_t node, std::vector<Piece> pieces, Done done) = 0;

 protected:
  ~PageStore() = default;
};

/// Storing waits for the page's lock, which is held by faults that the serving thread must answer
/// first: it is done by threads of its own, few for each user. All else on the serving thread.
class PageCache final : public PageStore {
 public:
  /// `io` runs the serving thread and outlives this.
  explicit PageCache(boost::asio::io_context& io);

  /// Before anything else: `session` outlives all use of this. Throws std::system_error.
  void start(fuse_session* session, int device_fd);

  void retrieve(fuse_ino_t node, std::size_t size, Retrieved then) override;
  /// The kernel's answer to a retrieve().
  void on_reply(const void* cookie, std::span<const std::byte> bytes);

  void store(uid_t user, fuse_ino_t node, std::vector<Piece> pieces, Done done) override;

  /// Calls `done` when nothing is being stored any more: a process cannot end before.
  void when_idle(Done done);

 private:
  void stored(const Done& done);

  boost::asio::io_context& io_;
  fuse_session* session_ = nullptr;
  // Shared with the threads that store: they may outlive the session.
  std::shared_ptr<const UniqueFd> device_;
  std::uintptr_t last_cookie_ = 0;
  std::unordered_map<std::uintptr_t, Retrieved> retrieving_;
  std::size_t storing_ = 0;
  Done when_idle_;
  PatientCalls stores_;
};

}  // namespace watchq
