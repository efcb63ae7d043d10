// SPDX-License-Identifier: MIT
// KeyBpfBackend: hears of keys by programs in the kernel.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <unordered_set>
#include <vector>

#include "kernel/key_bpf.h"
#include "source/key_backend.h"

namespace watchq {

/// Exact, for all keys, whoever changes them. The programs are attached for as long as this lives,
/// and tell only while a key is watched.
class KeyBpfBackend final : public KeyBackend {
 public:
  /// Both outlive this. Throws std::system_error as KeyPrograms does.
  KeyBpfBackend(boost::asio::io_context& io, KeyBackendSink& sink);
  ~KeyBpfBackend() override;

  void watch(KeySerial key, const KeyRights& rights, const std::vector<KeySerial>& shown) override;
  void unwatch(KeySerial key) override;
  void sync() override { take(); }

 private:
  void wait();
  void take();

  KeyBackendSink& sink_;
  KeyPrograms programs_;
  boost::asio::posix::stream_descriptor wake_;  // borrows the programs' file
  std::unordered_set<KeySerial> watched_;
};

}  // namespace watchq
