// SPDX-License-Identifier: MIT
// KeyTraceBackend: hears of keys by tracepoints on the system calls for them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <vector>

#include "kernel/key_trace.h"
#include "source/key_backend.h"
#include "source/key_deed_reader.h"
#include "source/key_names.h"

namespace watchq {

/// The tracepoints cost each system call of the machine some 45 ns: they are open only while a key
/// is watched, and a little longer. Calls of 32-bit programs on a 64-bit kernel are not seen, nor
/// what the kernel does to keys by itself; what a call does to "my session keyring" and the like is
/// left to the comparison where nothing told which one that is.
class KeyTraceBackend final : public KeyBackend {
 public:
  /// Both outlive this. Throws std::system_error: ENOENT where the kernel has no such tracepoints,
  /// EACCES or EPERM where we may not open them.
  KeyTraceBackend(boost::asio::io_context& io, KeyBackendSink& sink);
  ~KeyTraceBackend() override;

  void watch(KeySerial key, const KeyRights& rights, const std::vector<KeySerial>& shown) override;
  void unwatch(KeySerial key) override;
  void sync() override { take(); }

 private:
  struct Watched {
    KeyRights rights;
    std::vector<KeySerial> shown;
  };

  void open();
  void close();
  void wait(std::size_t at);
  void take();
  void learn_links(KeySerial key, const Watched& watched);

  boost::asio::io_context& io_;
  KeyBackendSink& sink_;
  KeyCalls calls_;
  KeyNames names_;
  KeyDeedReader reader_;
  std::vector<std::uint64_t> ids_;
  std::unique_ptr<Tracepoint> trace_;
  std::vector<std::unique_ptr<boost::asio::posix::stream_descriptor>> wakes_;  // borrow its files
  boost::asio::steady_timer linger_;
  std::map<KeySerial, Watched> watched_;
};

}  // namespace watchq
