// SPDX-License-Identifier: MIT
#include "source/superblock_errors.h"

#include <algorithm>
#include <utility>

namespace watchq {

bool tells_fanotify(const std::string& fs_type) {
  // Seen on Linux 6.18. XFS sends from 7.0.
  return fs_type == "ext4" || fs_type == "ext3" || fs_type == "ext2";
}

SuperblockErrors::SuperblockErrors(boost::asio::io_context& io,
                                   std::shared_ptr<SuperblockExaminer> examiner,
                                   ErrorMerger& merger, SuperblockReadonly& readonly,
                                   SuperblockSink& sink)
    : io_(io), examiner_(std::move(examiner)), merger_(merger), readonly_(readonly), sink_(sink) {}

SuperblockErrors::~SuperblockErrors() {
  // The groups are the examiner's, which may outlive this.
  for (const auto& wake : wakes_) wake->release();
}

void SuperblockErrors::watched(const WatchedSuperblock& superblock) {
  const std::uint64_t id = superblock.superblock.id;
  watched_[id] = &superblock;
  if (superblock.examined.error_mark != 0) {
    examiner_->errors().keep(superblock.examined.error_mark);
    by_mark_[superblock.examined.error_mark] = id;
  }
  wait_for_new_groups();
}

void SuperblockErrors::unwatched(std::uint64_t superblock) {
  merger_.flush(superblock);
  merger_.drop(superblock);
  watched_.erase(superblock);
  std::erase_if(by_mark_, [&](const auto& entry) {
    if (entry.second != superblock) return false;
    examiner_->errors().forget(entry.first);
    return true;
  });
}

void SuperblockErrors::sync() {
  for (std::size_t group = 0; group < wakes_.size(); ++group) take(group);
}

void SuperblockErrors::wait_for_new_groups() {
  ErrorGroups& groups = examiner_->errors();
  while (wakes_.size() < groups.size()) {
    const std::size_t group = wakes_.size();
    wakes_.push_back(
        std::make_unique<boost::asio::posix::stream_descriptor>(io_, groups.fd(group)));
    wait(group);
  }
}

void SuperblockErrors::wait(std::size_t group) {
  wakes_[group]->async_wait(boost::asio::posix::descriptor_base::wait_read,
                            [this, group](const boost::system::error_code& error) {
                              if (error) return;
                              take(group);
                              wait(group);
                            });
}

void SuperblockErrors::take(std::size_t group) {
  for (const ErrorGroups::Error& error : examiner_->errors().take(group)) {
    if (error.what.overflow) {
      sink_.on_superblock_loss(0);
      continue;
    }
    // All its names that are known here are those of one superblock.
    const auto mark = std::find_if(error.marks.begin(), error.marks.end(),
                                   [this](auto name) { return by_mark_.contains(name); });
    if (mark == error.marks.end()) continue;
    const std::uint64_t superblock = by_mark_.at(*mark);
    merger_.add(superblock, error.what.error, error.what.count);
    readonly_.after_error(superblock);
  }
}

std::vector<SuperblockSight> SuperblockErrors::sights(std::uint64_t superblock) const {
  const auto found = watched_.find(superblock);
  if (found == watched_.end()) return {};
  const ExaminedSuperblock& examined = found->second->examined;
  const std::string& fs_type = found->second->superblock.fs_type;
  SuperblockSight sight{"error", "", examined.error_mark_missing};
  if (examined.error_mark != 0 && tells_fanotify(fs_type)) {
    sight.how = "event";
  } else if (examined.error_mark != 0) {
    sight.missing = "the kernel takes a mark on " + fs_type + ", and never tells of its errors";
  }
  return {sight};
}

}  // namespace watchq
