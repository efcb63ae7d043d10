// SPDX-License-Identifier: MIT
#include "source/superblock_scout.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "kernel/directory_handle.h"
#include "kernel/open_object.h"

namespace watchq {

using Clock = std::chrono::steady_clock;

struct SuperblockScout::Task {
  Clock::time_point due;
  std::shared_ptr<MountNamespace> mounts;  // until it is handed over: the serving thread's own
  std::shared_ptr<const UniqueFd> namespace_fd;
  MountInfo mount;
  Found found;
};

/// What outlives a scout whose thread is still under way.
struct SuperblockScout::Shared {
  std::shared_ptr<SuperblockExaminer> examiner;
  std::mutex mutex;
  boost::asio::io_context* io = nullptr;  // null once nobody wants results any more
  std::deque<Task> tasks;
  bool serving = false;

  /// The next task; nothing: the thread ends.
  std::optional<Task> next() {
    const std::lock_guard lock(mutex);
    if (io == nullptr || tasks.empty()) {
      serving = false;
      return std::nullopt;
    }
    Task task = std::move(tasks.front());
    tasks.pop_front();
    return task;
  }
};

namespace {

bool is_root_of(int root, const MountInfo& mount) {
  try {
    const OpenObject found = describe_file(root);
    // By mountinfo alone a mount has no unique ID.
    const bool is_same_unique =
        mount.mount == mount.id || !found.mount || *found.mount == mount.mount;
    return found.mount_id == mount.id && is_same_unique;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

UniqueFd open_mount_root(int namespace_fd, const MountInfo& mount, const std::string& path) {
  // To open even a directory is something that a FUSE server is asked.
  if (!is_traceable_filesystem(mount.fs_type) || path.empty()) return UniqueFd();
  try {
    return open_detached(namespace_fd, path, [&](int root) { return is_root_of(root, mount); });
  } catch (const std::system_error&) {
    return UniqueFd();
  }
}

SuperblockScout::SuperblockScout(boost::asio::io_context& io,
                                 std::shared_ptr<SuperblockExaminer> examiner)
    : shared_(std::make_shared<Shared>()), timer_(io) {
  shared_->examiner = std::move(examiner);
  shared_->io = &io;
}

SuperblockScout::~SuperblockScout() {
  const std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
  shared_->tasks.clear();
}

void SuperblockScout::examine(std::shared_ptr<MountNamespace> mounts, const MountInfo& mount,
                              Found found) {
  waiting_.push_back(
      {Clock::now() + kPatience, std::move(mounts), nullptr, mount, std::move(found)});
  schedule();
}

void SuperblockScout::schedule() {
  if (scheduled_ || waiting_.empty()) return;
  scheduled_ = true;
  timer_.expires_at(waiting_.front().due);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    scheduled_ = false;
    hand_over();
    schedule();
  });
}

void SuperblockScout::hand_over() {
  std::vector<Task> ready;
  for (const auto now = Clock::now(); !waiting_.empty() && waiting_.front().due <= now;) {
    ready.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  for (Task& task : ready) task.mounts->sync();
  std::erase_if(ready, [](const Task& task) {
    return task.mounts->table().find(task.mount.mount) == nullptr;
  });
  for (Task& task : ready) {
    task.namespace_fd = std::make_shared<const UniqueFd>(task.mounts->copy_namespace_fd());
    task.mounts.reset();
  }
  const std::lock_guard lock(shared_->mutex);
  std::move(ready.begin(), ready.end(), std::back_inserter(shared_->tasks));
  if (shared_->serving || shared_->tasks.empty()) return;
  shared_->serving = true;
  std::thread([shared = shared_] { serve(shared); }).detach();
}

void SuperblockScout::serve(const std::shared_ptr<Shared>& shared) {
  while (auto task = shared->next()) {
    ExaminedSuperblock examined;
    {
      const UniqueFd root =
          open_mount_root(task->namespace_fd->get(), task->mount, task->mount.mount_point);
      if (!root.valid()) continue;
      examined = shared->examiner->examine(root.get(), task->mount);
    }
    const std::lock_guard lock(shared->mutex);
    if (shared->io == nullptr) return;
    boost::asio::post(*shared->io, [shared, examined, found = std::move(task->found)] {
      found(examined);
      shared->examiner->release(examined);
    });
  }
}

}  // namespace watchq
