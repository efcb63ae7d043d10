// SPDX-License-Identifier: MIT
#include "source/superblock_traces.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/close_aside.h"

namespace watchq {
namespace {

/// How long a tracepoint that nobody needs stays open: to close it takes the kernel long.
constexpr std::chrono::seconds kLinger{5};

/// A device number as tracepoints record it, written as in mountinfo (linux/kdev_t.h: MINORBITS).
std::string device_text(std::uint64_t device) {
  constexpr unsigned int kMinorBits = 20;
  return std::to_string(device >> kMinorBits) + ":" +
         std::to_string(device & ((std::uint64_t{1} << kMinorBits) - 1));
}

}  // namespace

SuperblockTraces::SuperblockTraces(boost::asio::io_context& io, ErrorMerger& merger,
                                   SuperblockSink& sink)
    : io_(io), merger_(merger), sink_(sink), linger_(io) {
  const auto add = [this](const char* name, const char* device, std::vector<std::string> types,
                          std::size_t pages) {
    Point& point = points_.emplace_back();
    point.name = name;
    point.device_field = device;
    point.fs_types = std::move(types);
    point.pages = pages;
  };
  add("xfs/xfs_force_shutdown", "dev", {"xfs"}, 1);               // Linux 5.10
  add("ext4/ext4_shutdown", "dev", {"ext2", "ext3", "ext4"}, 1);  // Linux 4.11
  // Linux 4.13. Once for each page that a sick device refuses, some 40 bytes: thousands at a time,
  // also of devices that nobody watches.
  add("filemap/filemap_set_wb_err", "s_dev", {}, 64);
}

SuperblockTraces::~SuperblockTraces() {
  for (Point& point : points_) {
    for (const auto& wake : point.wakes) wake->release();
  }
}

bool SuperblockTraces::is_for(const Point& point, const WatchedSuperblock& superblock) {
  const auto& types = point.fs_types;
  if (types.empty()) return superblock.examined.local;
  return std::find(types.begin(), types.end(), superblock.superblock.fs_type) != types.end();
}

void SuperblockTraces::watched(const WatchedSuperblock& superblock) {
  watched_[superblock.superblock.id] = &superblock;
  by_device_[superblock.superblock.device] = superblock.superblock.id;
  for (Point& point : points_) {
    if (point.open == nullptr && is_for(point, superblock)) open(point);
  }
}

void SuperblockTraces::unwatched(std::uint64_t superblock) {
  watched_.erase(superblock);
  std::erase_if(by_device_, [&](const auto& entry) { return entry.second == superblock; });
  linger_.expires_after(kLinger);
  linger_.async_wait([this](const boost::system::error_code& error) {
    if (!error) close_unused();
  });
}

void SuperblockTraces::open(Point& point) {
  try {
    const TraceFormat format = read_trace_format(point.name);
    const auto device = format.fields.find(point.device_field);
    if (device == format.fields.end()) {
      throw std::system_error(EBADMSG, std::system_category(), "format of " + point.name);
    }
    point.device = device->second;
    point.open = std::make_unique<Tracepoint>(format.id, point.pages);
    point.missing.clear();
  } catch (const std::system_error& error) {
    point.missing = error.what();
    return;
  }
  for (const int fd : point.open->fds()) {
    point.wakes.push_back(std::make_unique<boost::asio::posix::stream_descriptor>(io_, fd));
    wait(point, point.wakes.size() - 1);
  }
}

void SuperblockTraces::close(Point& point) {
  for (const auto& wake : point.wakes) wake->release();
  point.wakes.clear();
  close_aside(std::shared_ptr<const Tracepoint>(std::move(point.open)));
}

void SuperblockTraces::close_unused() {
  for (Point& point : points_) {
    const bool used = std::any_of(watched_.begin(), watched_.end(),
                                  [&](const auto& entry) { return is_for(point, *entry.second); });
    if (!used && point.open != nullptr) close(point);
  }
}

void SuperblockTraces::wait(Point& point, std::size_t at) {
  point.wakes[at]->async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [this, &point, at](const boost::system::error_code& error) {
                                if (error) return;
                                take(point);
                                wait(point, at);
                              });
}

void SuperblockTraces::sync() {
  for (Point& point : points_) take(point);
}

void SuperblockTraces::take(Point& point) {
  if (point.open == nullptr) return;
  const TraceTaken taken = point.open->take();
  for (const TraceSample& sample : taken.samples) {
    const auto of = by_device_.find(device_text(trace_number(sample.raw, point.device)));
    if (of != by_device_.end()) merger_.add(of->second, EIO, 1);
  }
  if (taken.lost != 0) sink_.on_superblock_loss(0);
}

std::vector<SuperblockEvent> SuperblockTraces::present(std::uint64_t superblock) const {
  const auto found = watched_.find(superblock);
  if (found == watched_.end()) return {};
  for (const auto& mounts : found->second->namespaces) {
    const auto mount = found->second->mount_in(*mounts);
    const auto state = mount ? mounts->superblock_state(*mount) : std::nullopt;
    if (!state || !state->has("shutdown")) continue;
    SuperblockEvent event;
    event.kind = SuperblockEventKind::error;
    event.superblock = superblock;
    event.error_number = EIO;
    return {event};
  }
  return {};
}

std::vector<SuperblockSight> SuperblockTraces::sights(std::uint64_t superblock) const {
  const auto found = watched_.find(superblock);
  if (found == watched_.end()) return {};
  std::vector<SuperblockSight> sights;
  for (const Point& point : points_) {
    if (!is_for(point, *found->second)) continue;
    const std::string what = point.fs_types.empty() ? "error (write-back)" : "error (shutdown)";
    sights.push_back({what, point.open != nullptr ? "event" : "", point.missing});
  }
  return sights;
}

}  // namespace watchq
