// SPDX-License-Identifier: MIT
#include "fuse/patient_calls.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

/// A new thread takes longer than most work.
constexpr auto kLinger = std::chrono::seconds(1);
constexpr std::size_t kIdleThreads = 4;

}  // namespace

/// What outlives a PatientCalls whose threads still wait.
struct PatientCalls::Shared {
  struct User {
    std::size_t threads = 0;
    std::deque<Work> waiting;
  };
  using Task = std::pair<uid_t, Work>;

  std::mutex mutex;
  std::condition_variable task_given;
  std::size_t idle = 0;    // threads that wait for a task and have been promised none
  std::deque<Task> tasks;  // promised to threads that wait
  boost::asio::io_context* io = nullptr;  // null once nobody wants results any more
  std::size_t threads = 0;
  std::map<uid_t, User> users;
  Limits limits;

  /// The last quarter of all threads is for users who have none yet.
  [[nodiscard]] bool may_start(const User& user) const {
    const UserLimit::Most& most = limits.calls;
    const bool is_crowded = threads >= most.in_all - most.in_all / 4;
    return user.threads < most.per_user && threads < most.in_all &&
           (!is_crowded || user.threads == 0);
  }

  void post(Continuation result) {
    const std::lock_guard lock(mutex);
    if (io != nullptr) boost::asio::post(*io, std::move(result));
  }

  /// Gives a thread that is done its next work: of the same user, or of one that waits because
  /// there were too many threads in all, or what comes soon. Nothing: the thread ends.
  std::optional<Task> next_after(uid_t user) {
    std::unique_lock lock(mutex);
    if (auto task = waiting_after(user)) return task;
    if (io == nullptr || idle >= kIdleThreads) return std::nullopt;
    ++idle;
    const bool given =
        task_given.wait_for(lock, kLinger, [this] { return !tasks.empty() || io == nullptr; });
    if (!given || tasks.empty()) {
      --idle;
      return std::nullopt;
    }
    Task task = std::move(tasks.front());
    tasks.pop_front();
    return task;
  }

  /// The same of what waits already. Under the lock.
  std::optional<Task> waiting_after(uid_t user) {
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

PatientCalls::PatientCalls(boost::asio::io_context& io, const Limits& limits,
                           UserLimit::OnRefusal on_refusal)
    : shared_(std::make_shared<Shared>()), on_refusal_(std::move(on_refusal)) {
  shared_->io = &io;
  shared_->limits = limits;
}

PatientCalls::~PatientCalls() {
  const std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
  shared_->users.clear();
  shared_->tasks.clear();
  shared_->task_given.notify_all();
}

void PatientCalls::set_limits(const Limits& limits) {
  const std::lock_guard lock(shared_->mutex);
  shared_->limits = limits;
}

PatientCalls::Limits PatientCalls::limits() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->limits;
}

PatientCalls::Counters PatientCalls::counters() const {
  const std::lock_guard lock(shared_->mutex);
  Counters counters{shared_->threads, 0, refusals_};
  for (const auto& [id, user] : shared_->users) counters.waiting += user.waiting.size();
  return counters;
}

void PatientCalls::run(uid_t user, Work work) {
  const std::lock_guard lock(shared_->mutex);
  Shared::User& of = shared_->users[user];
  if (!shared_->may_start(of)) {
    // Who stops waiting for a call leaves it here, and may go on asking.
    if (of.waiting.size() >= shared_->limits.max_waiting_per_user) {
      ++refusals_;
      on_refusal_(user, shared_->limits.calls);
      throw RequestError(ENOSPC, "too many calls of this user wait for its memory or files");
    }
    of.waiting.push_back(std::move(work));
    return;
  }
  if (shared_->idle != 0) {
    --shared_->idle;
    shared_->tasks.emplace_back(user, std::move(work));
    shared_->task_given.notify_one();
  } else {
    std::thread([shared = shared_, user, work = std::move(work)]() mutable {
      serve(shared, user, std::move(work));
    }).detach();
  }
  ++shared_->threads;
  ++of.threads;
}

void PatientCalls::serve(const std::shared_ptr<Shared>& shared, uid_t user, Work work) {
  for (;;) {
    shared->post(work());
    work = nullptr;  // what it holds goes before what comes next
    auto next = shared->next_after(user);
    if (!next) return;
    std::tie(user, work) = *std::move(next);
  }
}

}  // namespace watchq
