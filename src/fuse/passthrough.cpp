// SPDX-License-Identifier: MIT
#include "fuse/passthrough.h"

#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <utility>

#include "base/error.h"
#include "kernel/uapi.h"

namespace watchq {

BackingId::BackingId(int device_fd, int fd) : device_fd_(device_fd) {
  uapi::FuseBackingMap map{fd, 0, 0};
  id_ = ::ioctl(device_fd, uapi::kFuseDevIocBackingOpen, &map);
  if (id_ <= 0) throw_errno("FUSE_DEV_IOC_BACKING_OPEN");
}

BackingId::BackingId(BackingId&& other) noexcept
    : device_fd_(other.device_fd_), id_(std::exchange(other.id_, 0)) {}

BackingId& BackingId::operator=(BackingId&& other) noexcept {
  std::swap(device_fd_, other.device_fd_);
  std::swap(id_, other.id_);
  return *this;
}

BackingId::~BackingId() {
  if (id_ > 0) ::ioctl(device_fd_, uapi::kFuseDevIocBackingClose, &id_);
}

bool BackingId::reply_open(fuse_req_t request, std::uint64_t handle) const {
  // Any other flag beside these two makes the kernel refuse the open.
  const uapi::FuseOpenOut out{handle, uapi::kFopenPassthrough | FOPEN_DIRECT_IO, id_};
  return fuse_reply_buf(request, reinterpret_cast<const char*>(&out), sizeof out) == 0;
}

}  // namespace watchq
