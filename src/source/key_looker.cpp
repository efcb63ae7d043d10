// SPDX-License-Identifier: MIT
#include "source/key_looker.h"

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "kernel/tracepoint.h"

namespace watchq {
namespace {

KeyLooker::Result work(const std::vector<KeyLooker::Task>& tasks) {
  KeyLooker::Result result;
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& [watcher, keys] : tasks) {
    try {
      result.seen.push_back({watcher, look_at_keys(*watcher, keys)});
    } catch (const std::system_error&) {
      // Its IDs are not to be had any more, or no key can be made: nothing was seen.
    }
  }
  result.spent = std::chrono::steady_clock::now() - begin;
  return result;
}

}  // namespace

struct KeyLooker::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  boost::asio::io_context* io;  // null once nobody wants results any more
  bool started = false;
  bool runs = false;
  bool asked = false;
  std::vector<Task> tasks;
  Done done;

  explicit Shared(boost::asio::io_context& with) : io(&with) {}

  static void run(const std::shared_ptr<Shared>& self) {
    leave_thread_out_of_traces();
    std::unique_lock lock(self->mutex);
    self->runs = true;
    self->changed.notify_all();
    for (;;) {
      self->changed.wait(lock, [&] { return self->asked || self->io == nullptr; });
      if (self->io == nullptr) return;
      self->asked = false;
      std::vector<Task> tasks = std::move(self->tasks);
      Done done = std::move(self->done);
      lock.unlock();
      Result result = work(tasks);
      tasks.clear();
      lock.lock();
      if (self->io == nullptr) return;
      boost::asio::post(*self->io, [done = std::move(done), result = std::move(result)]() mutable {
        done(std::move(result));
      });
    }
  }
};

KeyLooker::KeyLooker(boost::asio::io_context& io) : shared_(std::make_shared<Shared>(io)) {}

KeyLooker::~KeyLooker() {
  const std::lock_guard lock(shared_->mutex);
  shared_->io = nullptr;
  shared_->done = nullptr;
  shared_->tasks.clear();
  shared_->changed.notify_all();
}

void KeyLooker::start() {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->started) {
    shared_->started = true;
    std::thread(&Shared::run, shared_).detach();
  }
  shared_->changed.wait(lock, [&] { return shared_->runs; });
}

void KeyLooker::look(std::vector<Task> tasks, Done done) {
  start();
  const std::lock_guard lock(shared_->mutex);
  shared_->tasks = std::move(tasks);
  shared_->done = std::move(done);
  shared_->asked = true;
  shared_->changed.notify_all();
}

}  // namespace watchq
