// SPDX-License-Identifier: MIT
// QuotaDetector: tells whose quota limit was hit on which superblock.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/quota_netlink.h"
#include "source/superblock_detector.h"

namespace watchq {

/// Listens while some superblock is watched.
class QuotaDetector final : public SuperblockDetector {
 public:
  /// `io` and `sink` outlive this.
  QuotaDetector(boost::asio::io_context& io, SuperblockSink& sink) : io_(io), sink_(sink) {}

  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override;
  void sync() override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  void start();
  void stop();
  void wait();
  void tell(const QuotaWarning& warning);

  boost::asio::io_context& io_;
  SuperblockSink& sink_;
  std::map<std::uint64_t, std::string> watched_;  ///< and their devices
  QuotaSocket socket_;
  std::optional<boost::asio::posix::stream_descriptor> wake_;
  std::string missing_;  ///< why there are no warnings
};

}  // namespace watchq
