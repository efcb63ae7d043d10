// SPDX-License-Identifier: MIT
#include "fuse/event_file.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace watchq {

EventFile::EventFile(WakeList& wakes, StreamLimits& limits, uid_t owner, EventFormat format)
    : Wakeable(wakes),
      format_(format),
      share_(limits.streams.take(owner, 1)),
      stream_(owner, limits.buffer_bytes, [this] { wake_soon(); }) {}

EventFile::~EventFile() {
  if (poll_handle_ != nullptr) fuse_pollhandle_destroy(poll_handle_);
}

void EventFile::read(fuse_req_t request, std::size_t size, off_t offset, bool nonblocking) {
  // Those who came first are served first.
  if (readers_.empty()) {
    const std::string bytes = take(size, offset);
    if (!bytes.empty() || size == 0) {
      fuse_reply_buf(request, bytes.data(), bytes.size());
      return;
    }
  }
  if (nonblocking) throw RequestError(EAGAIN, "no events");
  readers_.add({request, size, offset});
}

unsigned int EventFile::poll(fuse_pollhandle* handle) {
  if (handle != nullptr) {
    if (poll_handle_ != nullptr) fuse_pollhandle_destroy(poll_handle_);
    poll_handle_ = handle;
  }
  return readable() ? POLLIN | POLLRDNORM : 0U;
}

void EventFile::wake() {
  readers_.serve(
      [this](const WaitingReaders::Reader& reader) { return take(reader.size, reader.offset); });
  if (poll_handle_ == nullptr || !readable()) return;
  fuse_lowlevel_notify_poll(poll_handle_);
  fuse_pollhandle_destroy(std::exchange(poll_handle_, nullptr));
}

std::string EventFile::take(std::size_t size, off_t offset) {
  const auto at = static_cast<std::uint64_t>(offset);
  const std::uint64_t behind = position_ - at;  // huge when it is not behind at all
  if (behind != 0 && behind <= history_.size()) {
    return history_.substr(history_.size() - static_cast<std::size_t>(behind), size);
  }
  if (behind != 0) {
    history_.clear();
    position_ = at;
  }
  std::string bytes = take_new(size);
  remember(bytes);
  return bytes;
}

std::string EventFile::take_new(std::size_t size) {
  std::string bytes;
  for (make_line(); !rest_.empty(); make_line()) {
    const std::size_t room = size - bytes.size();
    // Lines are not cut, unless one alone is too long.
    if (rest_.size() > room && !bytes.empty()) break;
    const std::size_t length = std::min(rest_.size(), room);
    bytes.append(rest_, 0, length);
    rest_.erase(0, length);
    if (!rest_.empty() || bytes.size() == size) break;
  }
  return bytes;
}

void EventFile::remember(const std::string& bytes) {
  position_ += bytes.size();
  history_ += bytes;
  if (history_.size() > 2 * kHistory) history_.erase(0, history_.size() - kHistory);
}

void EventFile::make_line() {
  if (!rest_.empty()) return;
  const auto item = stream_.take();
  if (!item) return;
  rest_ = std::visit(
      [this](const auto& said) {
        return format_ == EventFormat::json ? json_of(said) : text_of(said);
      },
      *item);
  rest_ += '\n';
}

}  // namespace watchq
