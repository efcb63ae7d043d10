// SPDX-License-Identifier: MIT
#include "kernel/fanotify.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/close_aside.h"
#include "base/error.h"
#include "kernel/fanotify_events.h"
#include "kernel/uapi.h"

namespace watchq {
namespace {

/// The mount that an event's info records name; 0 when there is none.
std::uint64_t mount_of(std::span<const std::byte> infos) {
  while (infos.size() >= sizeof(fanotify_event_info_header)) {
    fanotify_event_info_header header{};
    std::memcpy(&header, infos.data(), sizeof header);
    if (header.len < sizeof header || header.len > infos.size()) {
      throw_malformed("fanotify info record");
    }
    if (header.info_type == uapi::kFanEventInfoTypeMnt) {
      if (header.len < sizeof(uapi::FanotifyInfoMnt)) throw_malformed("fanotify mount record");
      uapi::FanotifyInfoMnt info{};
      std::memcpy(&info, infos.data(), sizeof info);
      return info.mnt_id;
    }
    infos = infos.subspan(header.len);
  }
  return 0;
}

}  // namespace

std::vector<MountChange> decode_mount_changes(std::span<const std::byte> events) {
  std::vector<MountChange> changes;
  for_each_fanotify_event(
      events, [&](const fanotify_event_metadata& event, std::span<const std::byte> infos) {
        MountChange change;
        change.pid = event.pid;
        change.overflow = (event.mask & FAN_Q_OVERFLOW) != 0;
        change.attached = (event.mask & uapi::kFanMntAttach) != 0;
        change.detached = (event.mask & uapi::kFanMntDetach) != 0;
        if (change.attached || change.detached) {
          change.mount = mount_of(infos);
          if (change.mount == 0) throw_malformed("fanotify mount event without a mount");
        }
        changes.push_back(change);
      });
  return changes;
}

UniqueFd open_mount_fanotify(int namespace_fd) {
  UniqueFd group(::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | uapi::kFanReportMnt,
                                 O_RDONLY));
  if (!group.valid()) throw_errno("fanotify_init for mount events");
  if (::fanotify_mark(group.get(), FAN_MARK_ADD | uapi::kFanMarkMntns,
                      uapi::kFanMntAttach | uapi::kFanMntDetach, namespace_fd, nullptr) != 0) {
    const int error = errno;
    close_aside(std::move(group));
    throw std::system_error(error, std::system_category(), "fanotify_mark of a mount namespace");
  }
  return group;
}

std::vector<MountChange> read_mount_changes(int fanotify_fd) {
  // Some 40 bytes an event: a thousand of them a call.
  alignas(fanotify_event_metadata) std::array<std::byte, 40960> buffer;
  const ssize_t got = ::read(fanotify_fd, buffer.data(), buffer.size());
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return {};
    throw_errno("read of mount events");
  }
  return decode_mount_changes(std::span(buffer).first(static_cast<std::size_t>(got)));
}

}  // namespace watchq
