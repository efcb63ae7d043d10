// SPDX-License-Identifier: MIT
// SuperblockTraces: errors that filesystems tell nobody but the kernel's own tracing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernel/tracepoint.h"
#include "source/error_merger.h"
#include "source/superblock_detector.h"

namespace watchq {

/// A filesystem that shuts itself down (XFS, ext4), and data that could not be written back (all
/// that use the page cache), by tracepoints that cost nothing but where an error happens. Each is
/// told as EIO: which error it was is not recorded. A tracepoint is open while a superblock that it
/// is of use for is watched, and a little longer. One thread.
class SuperblockTraces final : public SuperblockDetector {
 public:
  /// `io` and `merger` outlive this.
  SuperblockTraces(boost::asio::io_context& io, ErrorMerger& merger, SuperblockSink& sink);
  ~SuperblockTraces() override;

  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override;
  void sync() override;
  void after_look(const MountNamespace& /*mounts*/) override { sync(); }
  /// ext4 shows among its options that it has shut down (Linux 6.15): told as EIO with cookie 0.
  /// XFS does not.
  [[nodiscard]] std::vector<SuperblockEvent> present(std::uint64_t superblock) const override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  struct Point {
    std::string name;                   // as below tracefs' events
    std::string device_field;           // where the device number is
    std::vector<std::string> fs_types;  // that it is of use for; none: for all that are local
    std::size_t pages = 0;              // of memory for each processor
    TraceField device;
    std::unique_ptr<Tracepoint> open;
    std::vector<std::unique_ptr<boost::asio::posix::stream_descriptor>> wakes;  // borrow its files
    std::string missing;  // why it is not open
  };

  [[nodiscard]] static bool is_for(const Point& point, const WatchedSuperblock& superblock);
  void open(Point& point);
  static void close(Point& point);
  void close_unused();
  void wait(Point& point, std::size_t at);
  void take(Point& point);

  boost::asio::io_context& io_;
  ErrorMerger& merger_;
  SuperblockSink& sink_;
  boost::asio::steady_timer linger_;
  std::vector<Point> points_;
  std::unordered_map<std::uint64_t, const WatchedSuperblock*> watched_;
  std::unordered_map<std::string, std::uint64_t> by_device_;
};

}  // namespace watchq
