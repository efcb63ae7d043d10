// SPDX-License-Identifier: MIT
#include "fuse/handshake.h"

#include <linux/fuse.h>

#include <algorithm>
#include <cstring>

#include "kernel/fuse_init.h"
#include "kernel/uapi.h"

namespace watchq {

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)

void Handshake::on_request(std::span<const std::byte>) {}

void Handshake::ask(fuse_conn_info& connection) {
  offered_ = fuse_set_feature_flag(&connection, FUSE_CAP_PASSTHROUGH);
}

ssize_t Handshake::write_reply(int fd, std::span<const iovec> parts) {
  return ::writev(fd, parts.data(), static_cast<int>(parts.size()));
}

#else

namespace {

/// The start of a reply with INIT's payload, where it has one.
bool is_reply_to(std::uint64_t request, std::span<const iovec> parts, fuse_out_header& header) {
  if (request == 0 || parts.size() != 2 || parts[0].iov_len != sizeof header) return false;
  std::memcpy(&header, parts[0].iov_base, sizeof header);
  return header.unique == request && header.error == 0;
}

}  // namespace

void Handshake::ask(fuse_conn_info&) {
  // The reply is completed on its way out.
}

void Handshake::on_request(std::span<const std::byte> request) {
  const FuseInit init = decode_fuse_init(request);
  if (init.request == 0) return;
  init_ = init.request;
  offered_ = init.passthrough;
}

ssize_t Handshake::write_reply(int fd, std::span<const iovec> parts) {
  fuse_out_header header{};
  if (!offered_ || !is_reply_to(init_, parts, header)) {
    return ::writev(fd, parts.data(), static_cast<int>(parts.size()));
  }
  init_ = 0;
  uapi::FuseInitOut init{};
  const std::size_t known = std::min(parts[1].iov_len, sizeof init);
  if (known != 0) std::memcpy(&init, parts[1].iov_base, known);
  init.minor = std::max(init.minor, uapi::kFusePassthroughMinor);
  init.flags |= uapi::kFuseInitExt;
  init.flags2 |= uapi::kFusePassthroughFlags2;
  init.max_stack_depth = 1;
  header.len = sizeof header + sizeof init;
  const iovec completed[] = {{&header, sizeof header}, {&init, sizeof init}};
  const ssize_t written = ::writev(fd, completed, 2);
  // libfuse compares with the length it asked to be written.
  const auto asked = static_cast<ssize_t>(parts[0].iov_len + parts[1].iov_len);
  return written < 0 ? written : asked;
}

#endif

}  // namespace watchq
