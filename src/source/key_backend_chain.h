// SPDX-License-Identifier: MIT
// KeyBackendChain: a backend that refuses some keys, and others for those.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <vector>

#include "source/key_backend.h"

namespace watchq {

/// Watches each key by the first of some backends that takes it. Those after the first are made
/// when they are needed, and let pass what is told of the keys that they watch alone: the first
/// tells of the others.
class KeyBackendChain final : public KeyBackend {
 public:
  /// `io` and `sink` outlive this. Makes the first of `choices`, which are not empty. Throws what
  /// that throws.
  KeyBackendChain(boost::asio::io_context& io, KeyBackendSink& sink,
                  std::vector<KeyBackendChoice> choices);
  ~KeyBackendChain() override;

  /// Throws what the first one threw, where none takes the key.
  void watch(KeySerial key, const KeyRights& rights, const std::vector<KeySerial>& shown) override;
  void unwatch(KeySerial key) override;
  void sync() override;

 private:
  class Link;

  boost::asio::io_context& io_;
  KeyBackendSink& sink_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<KeySerial, Link*> watched_;
};

}  // namespace watchq
