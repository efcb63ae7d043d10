// SPDX-License-Identifier: MIT
#include "kernel/error_fanotify.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "kernel/fanotify_events.h"

namespace watchq {
namespace {

template <typename Info>
Info info_from(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Info)) throw_malformed("fanotify info record of an error");
  Info info{};
  std::memcpy(&info, bytes.data(), sizeof info);
  return info;
}

/// The filesystem's identity stands before a handle, which is of no use here.
struct FidHead {
  fanotify_event_info_header header;
  FilesystemId filesystem;
};

FilesystemError decode_infos(std::span<const std::byte> infos) {
  FilesystemError error;
  bool has_filesystem = false;
  bool has_error = false;
  while (infos.size() >= sizeof(fanotify_event_info_header)) {
    const auto header = info_from<fanotify_event_info_header>(infos);
    if (header.len < sizeof header || header.len > infos.size()) {
      throw_malformed("fanotify info record");
    }
    const auto info = infos.first(header.len);
    if (header.info_type == FAN_EVENT_INFO_TYPE_FID) {
      error.filesystem = info_from<FidHead>(info).filesystem;
      has_filesystem = true;
    } else if (header.info_type == FAN_EVENT_INFO_TYPE_ERROR) {
      const auto raw = info_from<fanotify_event_info_error>(info);
      error.error = static_cast<std::uint32_t>(std::abs(raw.error));
      error.count = raw.error_count;
      has_error = true;
    }
    infos = infos.subspan(header.len);
  }
  if (!has_filesystem || !has_error) throw_malformed("fanotify error event without an error");
  return error;
}

}  // namespace

std::vector<FilesystemError> decode_filesystem_errors(std::span<const std::byte> events) {
  std::vector<FilesystemError> errors;
  for_each_fanotify_event(
      events, [&](const fanotify_event_metadata& event, std::span<const std::byte> infos) {
        if ((event.mask & FAN_Q_OVERFLOW) != 0) {
          errors.push_back({{}, 0, 0, true});
        } else if ((event.mask & FAN_FS_ERROR) != 0) {
          errors.push_back(decode_infos(infos));
        }
      });
  return errors;
}

UniqueFd open_error_fanotify() {
  UniqueFd group(::fanotify_init(
      FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_FID | FAN_UNLIMITED_MARKS,
      O_RDONLY));
  if (!group.valid()) throw_errno("fanotify_init for filesystem errors");
  return group;
}

int mark_errors(int fanotify_fd, int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int result = ::fanotify_mark(fanotify_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_FS_ERROR,
                                     AT_FDCWD, path.c_str());
  return result == 0 ? 0 : errno;
}

std::vector<FilesystemError> read_filesystem_errors(int fanotify_fd) {
  alignas(fanotify_event_metadata) std::array<std::byte, 16384> buffer;
  const ssize_t got = ::read(fanotify_fd, buffer.data(), buffer.size());
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return {};
    throw_errno("read of filesystem errors");
  }
  return decode_filesystem_errors(std::span(buffer).first(static_cast<std::size_t>(got)));
}

}  // namespace watchq
