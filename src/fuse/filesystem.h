// SPDX-License-Identifier: MIT
// Filesystem: the files below the mount point, and the requests on them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "dispatch/dispatcher.h"
#include "fuse/api.h"
#include "fuse/event_files.h"
#include "fuse/mount_directory.h"
#include "fuse/page_cache.h"
#include "fuse/patient_calls.h"
#include "fuse/pending_calls.h"
#include "fuse/queue_file.h"
#include "fuse/superblock_directory.h"
#include "fuse/transport.h"
#include "fuse/wake_list.h"

namespace watchq {

/// The thread that waits for the answer to a request.
Peer caller_of(fuse_req_t request);

class DirectoryReply;

/// How many calls may wait for what their callers have them wait for, and who hears of refusals.
struct CallLimits {
  PatientCalls::Limits most;
  UserLimit::OnRefusal on_refusal;
};

/// Answers requests. Each member answers its request exactly once, now or later, or throws
/// std::system_error without having answered. All on the serving thread; none blocks.
class Filesystem {
 public:
  /// What gives the texts of the files of these names; `status` for a reader.
  struct Texts {
    std::function<std::string(const Peer&)> status;
    std::function<std::string()> metrics;
  };

  /// `io`, `dispatcher`, `mounts`, `superblocks` and the limits outlive this.
  Filesystem(boost::asio::io_context& io, Dispatcher& dispatcher, MountDirectory& mounts,
             SuperblockDirectory& superblocks, QueueLimits& limits, StreamLimits& stream_limits,
             CallLimits calls, Transport wanted, Texts texts);

  /// Once the kernel has been greeted: chooses how rings are shared. `device_fd` is the FUSE
  /// device; it and `session` outlive all use of this. `offered` says whether the kernel agreed to
  /// passthrough. Throws std::runtime_error when the transport that was wanted is not there.
  void start(fuse_session* session, int device_fd, bool offered);
  [[nodiscard]] const TransportInUse& transport() const { return transport_; }

  void lookup(fuse_req_t request, fuse_ino_t parent, std::string_view name);
  void getattr(fuse_req_t request, fuse_ino_t node, bool for_file);
  void getxattr(fuse_req_t request, fuse_ino_t node, std::string_view name, std::size_t size);
  void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset);
  void open(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info);
  void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
            const fuse_file_info& info);
  void write(fuse_req_t request, fuse_ino_t node, std::span<const std::byte> bytes, off_t offset,
             const fuse_file_info& info);
  /// What came of PageCache::retrieve().
  void retrieved(const void* cookie, std::span<const std::byte> bytes) {
    page_cache_.on_reply(cookie, bytes);
  }
  void poll(fuse_req_t request, fuse_ino_t node, fuse_pollhandle* handle,
            const fuse_file_info& info);
  void release(fuse_req_t request, fuse_ino_t node, const fuse_file_info& info);
  /// An ioctl(2): `argument` is what the caller passed, `input` what the kernel copied from there.
  void ioctl(fuse_req_t request, fuse_ino_t node, unsigned int command, std::uint64_t argument,
             std::span<const std::byte> input);

  /// Wakes those who wait for what has been told since. Called after each handler of the loop.
  void wake_readers() { wakes_.wake_all(); }

  struct Totals {
    std::uint64_t posted = 0;
    std::uint64_t lost = 0;
  };

  /// The calls that may have to wait for the memory or the files of their callers.
  [[nodiscard]] PatientCalls& patient_calls() { return patient_calls_; }

  [[nodiscard]] std::size_t queues() const { return queues_.size(); }
  /// Records of all queues since the start.
  [[nodiscard]] Totals totals() const;
  /// The open streams of events.
  [[nodiscard]] const EventFiles& events() const { return events_; }

  /// Ends all that waits for an answer, so that no reply is owed when the session goes, then calls
  /// `done`: until then requests have to be served.
  void shut_down(std::function<void()> done);

 private:
  [[nodiscard]] struct stat attributes(fuse_ino_t node) const;
  void list_queues(DirectoryReply& reply, uid_t user, off_t offset) const;
  void open_queue_view(fuse_req_t request, fuse_ino_t node);
  /// The queue that a user may look into. Throws RequestError(ENOENT) where there is none.
  [[nodiscard]] const std::shared_ptr<QueueFile>& queue_seen_by(uid_t user, fuse_ino_t queue) const;
  void open_queue(fuse_req_t request, fuse_ino_t node, int access);
  [[nodiscard]] fuse_ino_t find(fuse_req_t request, fuse_ino_t parent, std::string_view name);
  [[nodiscard]] std::string text_at(fuse_req_t request, fuse_ino_t node);
  [[nodiscard]] QueueFile& queue_at(fuse_ino_t node, int error);
  /// Whether it is an open queue whose ring is mapped from the page cache.
  [[nodiscard]] bool is_in_page_cache(fuse_ino_t node) const;

  /// Answers a call when `use` has taken the result of patient work. Both may throw.
  template <typename Work, typename Use>
  void answer_call(fuse_req_t request, Work work, Use use);
  /// Answers a call when the function it hands to `act` is called; `act` may throw instead.
  template <typename Act>
  void answer_when_done(fuse_req_t request, Act act);
  void set_filter(fuse_req_t request, QueueFile& file, std::uint64_t argument);
  void watch_superblock(fuse_req_t request, QueueFile& file, std::uint64_t argument,
                        std::span<const std::byte> input);
  void watch(fuse_req_t request, QueueFile& file, std::uint64_t argument,
             std::span<const std::byte> input);
  void watch_key(fuse_req_t request, QueueFile& file, std::uint64_t argument,
                 std::span<const std::byte> input);

  Dispatcher& dispatcher_;
  MountDirectory& mounts_;
  SuperblockDirectory& superblocks_;
  QueueLimits& limits_;
  const Texts texts_;
  const Transport wanted_;
  TransportInUse transport_;
  int device_fd_ = -1;
  PageCache page_cache_;
  fuse_ino_t next_queue_node_;
  WakeList wakes_;                                           // goes after those in it
  std::map<fuse_ino_t, std::shared_ptr<QueueFile>> queues_;  // the open ones, by node
  Totals closed_;                                            // of the queues that are closed
  PendingCalls pending_calls_;
  PatientCalls patient_calls_;
  EventFiles events_;
};

}  // namespace watchq
