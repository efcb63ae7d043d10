// SPDX-License-Identifier: MIT
// EventFiles: the open files of `events` and `events.json`.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "dispatch/dispatcher.h"
#include "fuse/event_file.h"
#include "fuse/patient_calls.h"
#include "fuse/pending_calls.h"

namespace watchq {

/// Opens them, and sets for each what it watches. On the serving thread.
class EventFiles {
 public:
  /// All outlive this.
  EventFiles(WakeList& wakes, Dispatcher& dispatcher, StreamLimits& limits, PendingCalls& pending,
             PatientCalls& patient)
      : wakes_(wakes),
        dispatcher_(dispatcher),
        limits_(limits),
        pending_(pending),
        patient_(patient) {}
  ~EventFiles() { clear(); }
  EventFiles(const EventFiles&) = delete;
  EventFiles& operator=(const EventFiles&) = delete;

  /// Answers an OPEN, later: all that happens once it has returned is told. It fails with EMFILE
  /// when there are too many streams.
  void open(fuse_req_t request, EventFormat format);
  /// The open file that `info` names. Throws RequestError(EBADF) when it is none (any more).
  [[nodiscard]] EventFile& at(const fuse_file_info& info) const;
  void release(const fuse_file_info& info);
  /// Lets all go: who waits gets ENOTCONN.
  void clear();

  [[nodiscard]] std::size_t size() const { return files_.size(); }

  struct Totals {
    std::uint64_t told = 0;
    std::uint64_t lost = 0;
  };
  /// Events of all streams since the start.
  [[nodiscard]] Totals totals() const;

 private:
  void add(fuse_req_t request, std::unique_ptr<EventFile> file);
  void close(EventFile& file);

  WakeList& wakes_;
  Dispatcher& dispatcher_;
  StreamLimits& limits_;
  PendingCalls& pending_;
  PatientCalls& patient_;
  std::unordered_map<std::uint64_t, std::unique_ptr<EventFile>> files_;  // by fuse_file_info::fh
  std::uint64_t next_ = 1;
  Totals closed_;  // of the files that are closed
};

}  // namespace watchq
