// SPDX-License-Identifier: MIT
#include "fuse/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "fuse/operations.h"

namespace watchq {
namespace {

/// So many requests are served before others of the loop have a turn.
constexpr int kBatch = 64;

fuse_session* create(void* user_data) {
  char name[] = "watchqd";
  char* words[] = {name, nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(1, words);
  const fuse_lowlevel_ops operations = filesystem_operations();
  fuse_session* session = fuse_session_new(&arguments, &operations, sizeof operations, user_data);
  fuse_opt_free_args(&arguments);  // parsing has put copies there
  if (session == nullptr) throw std::runtime_error("libfuse refused to make a session");
  return session;
}

int duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

}  // namespace

FuseSession::FuseSession(boost::asio::io_context& io, UniqueFd device, Filesystem& filesystem,
                         std::function<void()> on_ready, std::function<void()> on_end)
    : io_(io),
      filesystem_(filesystem),
      on_ready_(std::move(on_ready)),
      on_end_(std::move(on_end)),
      device_fd_(device.get()),
      session_(create(this)),
      readable_(io, duplicate(device.get())) {
  fuse_custom_io io_calls{};  // later versions of libfuse have more of them
  io_calls.writev = write_reply;
  io_calls.read = read_request;
  if (fuse_session_custom_io(session_.get(), &io_calls, device.release()) != 0) {
    throw std::runtime_error("libfuse refused the FUSE device");
  }
  wait();
}

FuseSession::~FuseSession() { std::free(request_.mem); }

void FuseSession::initialised(fuse_conn_info& connection) {
  handshake_.ask(connection);
  // The reply goes out when the operation returns: what comes after it is posted.
  starting_ = true;
  boost::asio::post(io_, [this] {
    starting_ = false;
    filesystem_.start(session_.get(), device_fd_, handshake_.passthrough());
    on_ready_();
  });
}

void FuseSession::wait() {
  readable_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                       [this](const boost::system::error_code& error) {
                         if (!error) serve();
                       });
}

void FuseSession::serve() {
  for (int served = 0; served < kBatch; ++served) {
    const int got = fuse_session_receive_buf(session_.get(), &request_);
    if (got == -EINTR) continue;
    if (got == -EAGAIN) return wait();
    if (got <= 0) return on_end_();
    fuse_session_process_buf(session_.get(), &request_);
    // Who waited for the mount asks at once, and the files are not ready to answer.
    if (starting_) break;
  }
  boost::asio::post(io_, [this] { serve(); });
}

ssize_t FuseSession::read_request(int fd, void* buffer, size_t size, void* self) {
  const ssize_t got = ::read(fd, buffer, size);
  if (got > 0) {
    const auto request = std::span(static_cast<const std::byte*>(buffer), static_cast<size_t>(got));
    static_cast<FuseSession*>(self)->handshake_.on_request(request);
  }
  return got;
}

ssize_t FuseSession::write_reply(int fd, iovec* parts, int count, void* self) {
  return static_cast<FuseSession*>(self)->handshake_.write_reply(
      fd, std::span(parts, static_cast<size_t>(count)));
}

}  // namespace watchq
