// SPDX-License-Identifier: MIT
// KeyPipeBackend: hears of keys by the kernel's own watch queue.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <vector>

#include "kernel/key_pipe.h"
#include "source/key_backend.h"

namespace watchq {

/// One pipe for all keys, each watched by the rights of a client that watches it. A key that only
/// its possessor may view is refused by the kernel then, and has to be seen in another way. Who
/// changed a key is not told. The kernel keeps 512 records for a pipe: what comes faster than it is
/// read is lost, and that is told.
class KeyPipeBackend final : public KeyBackend {
 public:
  /// Both outlive this. Throws std::system_error: ENOPKG where the kernel has no watch queue,
  /// EOPNOTSUPP where it has one that tells nothing of keys.
  KeyPipeBackend(boost::asio::io_context& io, KeyBackendSink& sink);
  ~KeyPipeBackend() override;

  void watch(KeySerial key, const KeyRights& rights, const std::vector<KeySerial>& shown) override;
  void unwatch(KeySerial key) override;
  void sync() override { take(); }

 private:
  void wait();
  void take();

  KeyBackendSink& sink_;
  KeyPipe pipe_;
  boost::asio::posix::stream_descriptor wake_;  // borrows the pipe
  std::map<KeySerial, KeyRights> watched_;
};

}  // namespace watchq
