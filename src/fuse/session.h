// SPDX-License-Identifier: MIT
// FuseSession: serves a mounted FUSE device from an Asio loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "base/unique_fd.h"
#include "fuse/api.h"
#include "fuse/filesystem.h"
#include "fuse/handshake.h"

namespace watchq {

/// Reads requests from the device and lets the filesystem answer them. All on the thread that runs
/// the io_context. Destroying it ends the connection: clients that wait get ENOTCONN.
class FuseSession {
 public:
  /// Takes over the device, mounted already and non-blocking; `filesystem` outlives this.
  /// `on_ready` is called once, when requests are served; `on_end` when the kernel has ended the
  /// connection, because the filesystem was unmounted.
  FuseSession(boost::asio::io_context& io, UniqueFd device, Filesystem& filesystem,
              std::function<void()> on_ready, std::function<void()> on_end);
  ~FuseSession();
  FuseSession(const FuseSession&) = delete;
  FuseSession& operator=(const FuseSession&) = delete;

  [[nodiscard]] Filesystem& filesystem() { return filesystem_; }
  /// INIT has been received; its reply goes out next.
  void initialised(fuse_conn_info& connection);

 private:
  void wait();
  void serve();

  static ssize_t read_request(int fd, void* buffer, size_t size, void* self);
  static ssize_t write_reply(int fd, iovec* parts, int count, void* self);

  boost::asio::io_context& io_;
  Filesystem& filesystem_;
  std::function<void()> on_ready_;
  std::function<void()> on_end_;
  Handshake handshake_;
  bool starting_ = false;  // between the reply to INIT and the start of the files
  int device_fd_;          // libfuse closes it
  struct Destroy {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
  };
  std::unique_ptr<fuse_session, Destroy> session_;
  boost::asio::posix::stream_descriptor readable_;
  fuse_buf request_{};
};

}  // namespace watchq
