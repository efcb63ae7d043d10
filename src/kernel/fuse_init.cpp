// SPDX-License-Identifier: MIT
#include "kernel/fuse_init.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "kernel/uapi.h"

namespace watchq {
namespace {

constexpr int kAnswerTimeMs = 1000;

/// Mounts the device over the root of a mount namespace that only the calling thread has.
bool mount_unseen(int device) {
  const std::string options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
  return ::unshare(CLONE_FS | CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("watchq-probe", "/", "fuse.watchq-probe", 0, options.c_str()) == 0;
}

}  // namespace

FuseInit decode_fuse_init(std::span<const std::byte> request) {
  fuse_in_header header{};
  if (request.size() < sizeof header) return {};
  std::memcpy(&header, request.data(), sizeof header);
  if (header.opcode != FUSE_INIT) return {};
  fuse_init_in init{};
  const auto payload = request.subspan(sizeof header);
  std::memcpy(&init, payload.data(), std::min(payload.size(), sizeof init));
  return {header.unique, (init.flags & uapi::kFuseInitExt) != 0 &&
                             (init.flags2 & uapi::kFusePassthroughFlags2) != 0};
}

FuseInit probe_fuse() {
  const UniqueFd device(::open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!device.valid()) throw_errno("/dev/fuse");
  FuseInit offered;
  int error = 0;
  std::thread([&] {
    if (!mount_unseen(device.get())) {
      error = errno;
      return;
    }
    std::array<std::byte, FUSE_MIN_READ_BUFFER> request;
    pollfd readable{device.get(), POLLIN, 0};
    ::poll(&readable, 1, kAnswerTimeMs);
    const ssize_t got = ::read(device.get(), request.data(), request.size());
    if (got < 0) error = errno;
    if (got > 0) offered = decode_fuse_init(std::span(request).first(static_cast<size_t>(got)));
  }).join();
  if (error != 0) throw std::system_error(error, std::system_category(), "mounting FUSE");
  return offered;
}

}  // namespace watchq
