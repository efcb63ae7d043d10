// SPDX-License-Identifier: MIT
#include "source/quota_detector.h"

#include <fcntl.h>

#include <system_error>

#include "base/error.h"

namespace watchq {

void QuotaDetector::watched(const WatchedSuperblock& superblock) {
  watched_[superblock.superblock.id] = superblock.superblock.device;
  if (!wake_) start();
}

void QuotaDetector::unwatched(std::uint64_t superblock) {
  watched_.erase(superblock);
  if (watched_.empty()) stop();
}

std::vector<SuperblockSight> QuotaDetector::sights(std::uint64_t superblock) const {
  if (!watched_.contains(superblock)) return {};
  return {{"edquot", wake_ ? "event" : "", missing_}};
}

void QuotaDetector::start() {
  try {
    socket_ = open_quota_socket();
    // The reactor's own: asking does not wait for it.
    const int copy = ::fcntl(socket_.fd.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw_errno("quota socket");
    wake_.emplace(io_, copy);
    missing_.clear();
    wait();
  } catch (const std::system_error& error) {
    missing_ = error.what();
    stop();
  }
}

void QuotaDetector::stop() {
  wake_.reset();
  socket_ = {};
}

void QuotaDetector::wait() {
  wake_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (error) return;
                      sync();
                      if (wake_) wait();
                    });
}

void QuotaDetector::sync() {
  if (!wake_) return;
  try {
    while (const auto news = read_quota(socket_)) {
      if (news->lost) sink_.on_superblock_loss(0);
      for (const QuotaWarning& warning : news->warnings) {
        if (is_limit_hit(warning)) tell(warning);
      }
      if (!wake_) return;  // what was told has ended the last watch
    }
  } catch (const std::system_error& error) {
    missing_ = error.what();
    stop();
  }
}

void QuotaDetector::tell(const QuotaWarning& warning) {
  const std::string device = std::to_string(warning.major) + ":" + std::to_string(warning.minor);
  for (const auto& [superblock, of] : watched_) {
    if (of != device) continue;
    SuperblockEvent event;
    event.kind = SuperblockEventKind::edquot;
    event.superblock = superblock;
    event.quota_type = warning.kind;
    event.quota_id = static_cast<std::uint32_t>(warning.id);  // the kernel has 32 bits of it
    sink_.on_superblock_event(event);
    return;
  }
}

}  // namespace watchq
