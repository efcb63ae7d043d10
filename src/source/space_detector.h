// SPDX-License-Identifier: MIT
// SpaceDetector: looks how much room the watched superblocks of this machine have.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "source/fullness.h"
#include "source/probe_process.h"
#include "source/space_estimate.h"
#include "source/superblock_detector.h"

namespace watchq {

struct SpaceOptions {
  /// How often each superblock is looked at: nothing in the kernel announces that it is full.
  std::chrono::milliseconds interval{1000};
  /// How long a superblock may take to answer before others are no longer kept waiting for it.
  std::chrono::milliseconds patience{1000};
};

/// Asks ustat(2), which needs no path and holds no mount, from a process of its own. A superblock
/// that does not answer keeps that process to itself until it does; the others get a new one. With
/// nothing to look at there is neither a process nor a timer. Filesystems with a server are not
/// asked: NetworkDetector does.
class SpaceDetector final : public SuperblockDetector {
 public:
  struct Counters {
    std::uint64_t looks = 0;      ///< answers that came
    std::uint64_t abandoned = 0;  ///< times that a superblock did not answer in time
  };

  /// All outlive this; the options may change.
  SpaceDetector(boost::asio::io_context& io, const SpaceOptions& options, SuperblockSink& sink,
                Counters& counters)
      : io_(io),
        options_(options),
        sink_(sink),
        counters_(counters),
        interval_(io),
        patience_(io) {}

  /// That it is full already is no news. The figures found out for a later watch correct what has
  /// been estimated since.
  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override;
  [[nodiscard]] std::vector<SuperblockEvent> present(std::uint64_t superblock) const override;
  [[nodiscard]] std::optional<SpaceFigures> space(std::uint64_t superblock) const override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  struct Entry {
    std::uint64_t device;
    SpaceEstimate estimate;
    Fullness fullness;
    int error = 0;                            ///< that ustat gave last, or why nobody could ask
    std::unique_ptr<ProbeProcess> own_probe;  ///< that it keeps waiting

    Entry(std::uint64_t device_of_it, const SpaceFigures& figures)
        : device(device_of_it), estimate(figures) {}
  };

  [[nodiscard]] bool stuck(std::uint64_t superblock) const;
  void begin_round();
  void schedule_round();
  void ask_next();
  void out_of_patience();
  void answered(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer);
  void take(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer);

  boost::asio::io_context& io_;
  const SpaceOptions& options_;
  SuperblockSink& sink_;
  Counters& counters_;
  boost::asio::steady_timer interval_;
  boost::asio::steady_timer patience_;
  std::map<std::uint64_t, Entry> entries_;
  /// The processes that superblocks keep waiting, also those that nobody watches any more.
  std::map<std::uint64_t, std::weak_ptr<void>> kept_;
  std::vector<std::uint64_t> round_;  ///< still to be asked; the one that is being asked is last
  enum class Phase { idle, pausing, asking };
  Phase phase_ = Phase::idle;
  std::unique_ptr<ProbeProcess> probe_;  ///< that all share
};

}  // namespace watchq
