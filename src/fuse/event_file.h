// SPDX-License-Identifier: MIT
// EventFile: one open file of `events` or `events.json`.
#pragma once

#include <cstdint>
#include <string>

#include "base/user_limit.h"
#include "dispatch/event_stream.h"
#include "fuse/api.h"
#include "fuse/waiting_readers.h"
#include "fuse/wake_list.h"

namespace watchq {

/// What streams of events may use.
struct StreamLimits {
  std::size_t buffer_bytes;  ///< that each may keep for a reader who does not read
  UserLimit streams;
};

enum class EventFormat { text, json };

/// Lines, one for each event, that are made when they are read. A read gets as many whole lines as
/// fit, or as much of one line as does. On the serving thread.
///
/// Programs take a regular file for one in which they can go back: shells and head(1) read more
/// than they need and then seek. What has been read last can therefore be read again, by its
/// offset; at any other offset there is what comes next.
class EventFile final : public Wakeable {
 public:
  /// How much of what has been read can be read again, in bytes.
  static constexpr std::size_t kHistory = std::size_t{64} * 1024;

  /// `wakes` and `limits` outlive this. Throws RequestError(EMFILE) when there are too many
  /// streams.
  EventFile(WakeList& wakes, StreamLimits& limits, uid_t owner, EventFormat format);
  ~EventFile();

  [[nodiscard]] EventStream& stream() { return stream_; }
  [[nodiscard]] const EventStream& stream() const { return stream_; }

  /// Answers a read(2), at once or when there is something to read.
  void read(fuse_req_t request, std::size_t size, off_t offset, bool nonblocking);

  /// What a poll(2) reports. A `handle` is taken over: the poller is woken by the next event.
  unsigned int poll(fuse_pollhandle* handle);

 private:
  void wake() override;
  [[nodiscard]] bool readable() const { return !rest_.empty() || !stream_.empty(); }
  /// What is to be read at an offset now; empty when there is nothing.
  std::string take(std::size_t size, off_t offset);
  std::string take_new(std::size_t size);
  void remember(const std::string& bytes);
  /// Makes the next line, if there is none begun.
  void make_line();

  const EventFormat format_;
  UserLimit::Share share_;
  EventStream stream_;
  std::string rest_;     // of the line that comes next
  std::string history_;  // what has been read last, up to `position_`
  std::uint64_t position_ = 0;
  WaitingReaders readers_;
  fuse_pollhandle* poll_handle_ = nullptr;
};

}  // namespace watchq
