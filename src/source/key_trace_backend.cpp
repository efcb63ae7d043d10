// SPDX-License-Identifier: MIT
#include "source/key_trace_backend.h"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include "base/close_aside.h"
#include "kernel/keyctl.h"

namespace watchq {
namespace {

/// How long the tracepoints stay open when nobody needs them: to close them takes the kernel long.
constexpr std::chrono::seconds kLinger{5};
/// Room for some 5,000 calls on each processor.
constexpr std::size_t kPages = 256;

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

KeyTraceBackend::KeyTraceBackend(boost::asio::io_context& io, KeyBackendSink& sink)
    : io_(io),
      sink_(sink),
      reader_(sink,
              [this](const KeyDeed& deed, std::int32_t key) { return names_.resolve(deed, key); }),
      linger_(io) {
  for (const std::string& name : key_tracepoints()) {
    const TraceFormat format = read_trace_format(name);
    calls_.add_format(name, format);
    ids_.push_back(format.id);
  }
  // Opened for a moment, to know whether we may.
  close_aside(std::make_shared<const Tracepoint>(ids_, 1));
}

KeyTraceBackend::~KeyTraceBackend() {
  if (trace_ != nullptr) close();
}

void KeyTraceBackend::watch(KeySerial key, const KeyRights& rights,
                            const std::vector<KeySerial>& shown) {
  if (trace_ == nullptr) open();
  linger_.cancel();
  take();  // what was done before is not judged by what is found now
  const Watched& watched = watched_[key] = {rights, shown};
  learn_links(key, watched);
}

void KeyTraceBackend::unwatch(KeySerial key) {
  watched_.erase(key);
  reader_.unwatched(key);
  if (!watched_.empty()) return;
  linger_.expires_after(kLinger);
  linger_.async_wait([this](const boost::system::error_code& error) {
    if (!error && watched_.empty()) close();
  });
}

void KeyTraceBackend::learn_links(KeySerial key, const Watched& watched) {
  std::vector<KeySerial> links;
  bool read = false;
  try {
    const BorrowedIds ids(watched.rights);
    read = keyring_links(key, links) == 0;
  } catch (const std::system_error&) {
    // Those IDs are not to be had.
  }
  reader_.watched(key, read ? links : watched.shown, now());
}

void KeyTraceBackend::open() {
  auto trace = std::make_unique<Tracepoint>(ids_, kPages);
  // Looking at keys must not bring more to look at.
  leave_thread_out_of_traces();
  trace->set_filter(filter_of_threads_left_out());
  trace_ = std::move(trace);
  for (const int fd : trace_->fds()) {
    wakes_.push_back(std::make_unique<boost::asio::posix::stream_descriptor>(io_, fd));
    wait(wakes_.size() - 1);
  }
}

void KeyTraceBackend::close() {
  for (const auto& wake : wakes_) wake->release();
  wakes_.clear();
  reader_.forget();
  names_.forget();
  calls_.forget();
  close_aside(std::shared_ptr<const Tracepoint>(std::move(trace_)));
}

void KeyTraceBackend::wait(std::size_t at) {
  wakes_[at]->async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [this, at](const boost::system::error_code& error) {
                           if (error) return;
                           take();
                           wait(at);
                         });
}

void KeyTraceBackend::take() {
  if (trace_ == nullptr) return;
  const TraceTaken taken = trace_->take();
  if (taken.lost != 0) {
    calls_.forget();
    names_.forget();
  }
  for (const TraceSample& sample : taken.samples) {
    if (sample.process == ::getpid()) continue;
    const auto call = calls_.add(sample);
    if (!call) continue;
    for (const KeyDeed& deed : key_deeds(*call)) {
      if (deed.kind == KeyDeedKind::named) names_.learn(deed);
      reader_.read(deed);
    }
  }
  if (taken.lost == 0 && !reader_.is_full()) return;
  reader_.forget();
  for (const auto& [key, watched] : watched_) learn_links(key, watched);
  if (taken.lost != 0) sink_.on_key_loss();
}

}  // namespace watchq
