// SPDX-License-Identifier: MIT
// ClientMemory: reads what a client's pointer points to, however long that takes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernel/peer.h"

namespace watchq {

/// The kernel copies ioctl arguments of known size for us; others come as an address only. A client
/// decides how long a page fault in its memory takes, for ever included: so each read has a thread
/// of its own, and a client that keeps too many waiting is refused more.
class ClientMemory {
 public:
  /// Given the first bytes, how many more to read. Called on the reading thread; may throw
  /// RequestError.
  using More = std::function<std::size_t(std::span<const std::byte>)>;
  /// Called on the serving thread with an errno, or 0 and all bytes.
  using Done = std::function<void(int error, std::vector<std::byte> bytes)>;

  static constexpr std::size_t kMaxReads = 64;
  static constexpr std::size_t kMaxReadsPerUser = 4;

  /// `io` runs the serving thread and outlives this.
  explicit ClientMemory(boost::asio::io_context& io);
  ~ClientMemory();

  /// Reads `first` bytes at `address`, then what `more` asks for behind them.
  /// Throws RequestError(EAGAIN) when too many reads wait already.
  void read(const Peer& client, std::uint64_t address, std::size_t first, More more, Done done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace watchq
