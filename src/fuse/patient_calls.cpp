// SPDX-License-Identifier: MIT
#include "fuse/patient_calls.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace watchq {

/// What outlives a PatientCalls whose threads still wait.
struct PatientCalls::Shared {
  struct User {
    std::size_t threads = 0;
    std::deque<Work> waiting;
  };

  std::mutex mutex;
  boost::asio::io_context* io = nullptr;  // null once nobody wants results any more
  std::size_t threads = 0;
  std::map<uid_t, User> users;

  [[nodiscard]] bool may_start(const User& user) const {
    return user.threads < kThreadsPerUser && threads < kThreads;
  }

  void post(Continuation result) {
    const std::lock_guard lock(mutex);
    if (io != nullptr) boost::asio::post(*io, std::move(result));
  }

  /// Gives a thread that is done its next work: of the same user, or of one that waits because
  /// there were too many threads in all. Nothing: the thread ends.
  std::optional<std::pair<uid_t, Work>> next_after(uid_t user) {
    const std::lock_guard lock(mutex);
    if (io == nullptr) return std::nullopt;
    --threads;
    --users[user].threads;
    auto next = users.find(user);
    if (next->second.waiting.empty()) {
      if (next->second.threads == 0) users.erase(next);
      next = std::find_if(users.begin(), users.end(), [this](const auto& entry) {
        return !entry.second.waiting.empty() && may_start(entry.second);
      });
      if (next == users.end()) return std::nullopt;
    }
    Work work = std::move(next->second.waiting.front());
    next->second.waiting.pop_front();
    ++threads;
    ++next->second.threads;
    return std::pair(next->first, std::move(work));
  }
};

PatientCalls::PatientCalls(boost::asio::io_context& io) : shared_(std::make_shared<Shared>()) {
  shared_->io = &io;
}

PatientCalls::~PatientCalls() {
  const std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
  shared_->users.clear();
}

void PatientCalls::run(uid_t user, Work work) {
  const std::lock_guard lock(shared_->mutex);
  Shared::User& of = shared_->users[user];
  if (!shared_->may_start(of)) {
    of.waiting.push_back(std::move(work));
    return;
  }
  std::thread([shared = shared_, user, work = std::move(work)]() mutable {
    serve(shared, user, std::move(work));
  }).detach();
  ++shared_->threads;
  ++of.threads;
}

void PatientCalls::serve(const std::shared_ptr<Shared>& shared, uid_t user, Work work) {
  for (;;) {
    shared->post(work());
    auto next = shared->next_after(user);
    if (!next) return;
    std::tie(user, work) = *std::move(next);
  }
}

}  // namespace watchq
