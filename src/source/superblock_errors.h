// SPDX-License-Identifier: MIT
// SuperblockErrors: what a filesystem finds wrong with itself and tells fanotify.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "source/error_merger.h"
#include "source/superblock_detector.h"
#include "source/superblock_examiner.h"
#include "source/superblock_readonly.h"

namespace watchq {

/// Reads the groups whose marks SuperblockExaminer sets. error_cookie is how many errors a record
/// stands for. One thread.
class SuperblockErrors final : public SuperblockDetector {
 public:
  /// All but the examiner outlive this.
  SuperblockErrors(boost::asio::io_context& io, std::shared_ptr<SuperblockExaminer> examiner,
                   ErrorMerger& merger, SuperblockReadonly& readonly, SuperblockSink& sink);
  ~SuperblockErrors() override;

  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override;
  void sync() override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  void wait_for_new_groups();
  void wait(std::size_t group);
  void take(std::size_t group);

  boost::asio::io_context& io_;
  std::shared_ptr<SuperblockExaminer> examiner_;
  ErrorMerger& merger_;
  SuperblockReadonly& readonly_;
  SuperblockSink& sink_;
  std::vector<std::unique_ptr<boost::asio::posix::stream_descriptor>> wakes_;  // borrow the groups
  std::unordered_map<std::uint64_t, const WatchedSuperblock*> watched_;
  std::unordered_map<std::uint64_t, std::uint64_t> by_mark_;
};

/// Whether a filesystem of this type tells fanotify of its errors, on any kernel that is known.
/// Others accept a mark and never send.
bool tells_fanotify(const std::string& fs_type);

}  // namespace watchq
