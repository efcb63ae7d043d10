// SPDX-License-Identifier: MIT
#include "source/directory_follower.h"

#include <algorithm>
#include <utility>

#include "kernel/inotify.h"

namespace watchq {

FollowedDirectory::FollowedDirectory(std::shared_ptr<DirectoryFollower> by, DirectoryHandle named)
    : follower(std::move(by)), handle(std::move(named)) {}

FollowedDirectory::~FollowedDirectory() { follower->release(inodes); }

DirectoryFollower::DirectoryFollower(boost::asio::io_context& io)
    : inotify_(open_inotify()), wake_(std::in_place, io, inotify_.get()) {}

void DirectoryFollower::start(std::function<void()> changed) {
  changed_ = std::move(changed);
  wait();
}

void DirectoryFollower::wait() {
  wake_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      const auto self = weak.lock();
                      if (error || !self) return;
                      self->woken_ = true;
                      self->changed_();
                      self->wait();
                    });
}

void DirectoryFollower::stop() {
  wake_->release();
  wake_.reset();
}

std::shared_ptr<const FollowedDirectory> DirectoryFollower::follow(int fd) {
  UniqueFd above = open_parent(fd);
  if (!above.valid()) return nullptr;
  auto handle = name_directory(fd);
  if (!handle) return nullptr;
  auto followed = std::make_shared<FollowedDirectory>(shared_from_this(), *std::move(handle));
  {
    const std::lock_guard lock(mutex_);
    ++adding_;
  }
  for (int at = fd;; at = above.get()) {
    const int inode = add(at);
    if (inode >= 0) followed->inodes.push_back(inode);
    if (at != fd) {
      UniqueFd next = open_parent(at);
      if (!next.valid()) break;
      above = std::move(next);
    }
  }
  const std::lock_guard lock(mutex_);
  --adding_;
  remove_unused();
  return followed;
}

int DirectoryFollower::add(int fd) {
  const int inode = add_directory(inotify_.get(), fd);
  if (inode < 0) return inode;
  const std::lock_guard lock(mutex_);
  ++users_[inode];
  return inode;
}

bool DirectoryFollower::Changed::concerns(const FollowedDirectory& directory) const {
  return all || std::find_first_of(directory.inodes.begin(), directory.inodes.end(), inodes.begin(),
                                   inodes.end()) != directory.inodes.end();
}

DirectoryFollower::Changed DirectoryFollower::take_changed() {
  Changed changed;
  // What is left of those that nobody follows any more is read when that wakes us.
  if (!std::exchange(woken_, false) && !follows()) return changed;
  for (;;) {
    const auto changes = read_directory_changes(inotify_.get());
    if (changes.empty()) return changed;
    for (const DirectoryChange& change : changes) {
      changed.all = changed.all || change.overflow;
      if (!change.overflow) changed.inodes.push_back(change.watch);
    }
  }
}

bool DirectoryFollower::follows() const {
  const std::lock_guard lock(mutex_);
  return !users_.empty();
}

void DirectoryFollower::release(const std::vector<int>& inodes) {
  const std::lock_guard lock(mutex_);
  for (const int inode : inodes) {
    if (--users_[inode] == 0) unused_.push_back(inode);
  }
  remove_unused();
}

void DirectoryFollower::remove_unused() {
  if (adding_ != 0) return;
  for (const int inode : unused_) {
    const auto used = users_.find(inode);
    if (used == users_.end() || used->second != 0) continue;
    users_.erase(used);
    remove_directory(inotify_.get(), inode);
  }
  unused_.clear();
}

}  // namespace watchq
