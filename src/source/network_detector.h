// SPDX-License-Identifier: MIT
// NetworkDetector: whether the servers of watched superblocks still answer.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/fullness.h"
#include "source/probe_process.h"
#include "source/superblock_detector.h"

namespace watchq {

struct NetworkOptions {
  std::chrono::milliseconds interval{2000};  ///< how long a server is left alone between questions
  std::chrono::milliseconds limit{5000};     ///< how long it may take to answer
};

/// Whether a filesystem of this type is served over the network or by a program. Not fuseblk, whose
/// server sits on a disk of this machine, nor the files that we serve ourselves.
bool has_server(const std::string& fs_type);

/// Whether an error of statfs(2) says that there is no server: connections that are gone, and what
/// CIFS, NFS and FUSE make of a server that does not answer.
bool means_no_server(int error);

/// Asks each server by a process of its own, on a detached copy of the mount: an unmount does not
/// find it busy, and a server that never answers keeps nobody else waiting. The copy keeps the
/// superblock alive; it goes when SuperblockSource no more finds a mount of it.
class NetworkDetector final : public SuperblockDetector {
 public:
  struct Counters {
    std::uint64_t answers = 0;
    std::uint64_t silences = 0;  ///< times that a server did not answer within the limit
  };

  /// All outlive this; the options may change.
  NetworkDetector(boost::asio::io_context& io, const NetworkOptions& options, SuperblockSink& sink,
                  Counters& counters)
      : io_(io), options_(options), sink_(sink), counters_(counters) {}

  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override;
  [[nodiscard]] std::vector<SuperblockEvent> present(std::uint64_t superblock) const override;
  [[nodiscard]] std::optional<SpaceFigures> space(std::uint64_t superblock) const override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  struct Entry {
    const WatchedSuperblock& watched;
    std::unique_ptr<ProbeProcess> probe;
    boost::asio::steady_timer timer;  ///< the limit, or the pause
    bool waiting = false;             ///< for an answer
    bool lost = false;
    bool answered = false;  ///< the figures are those of an answer
    std::string missing;    ///< why it is not asked
    SpaceFigures figures;
    Fullness fullness;

    Entry(const WatchedSuperblock& of, boost::asio::io_context& io) : watched(of), timer(io) {}
  };

  void start(std::uint64_t superblock, Entry& entry);
  void pause(std::uint64_t superblock, Entry& entry);
  void ask(std::uint64_t superblock, Entry& entry);
  void expect_answer(std::uint64_t superblock, std::chrono::milliseconds limit);
  void take(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer);
  void take_figures(std::uint64_t superblock, const SpaceFigures& figures);
  void set_lost(std::uint64_t superblock, bool lost);

  boost::asio::io_context& io_;
  const NetworkOptions& options_;
  SuperblockSink& sink_;
  Counters& counters_;
  std::map<std::uint64_t, Entry> entries_;
  /// Of the last process of each superblock, also of those that nobody watches any more.
  std::map<std::uint64_t, std::weak_ptr<void>> lives_;
};

}  // namespace watchq
