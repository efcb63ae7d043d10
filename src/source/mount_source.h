// SPDX-License-Identifier: MIT
// MountSource: the mount namespaces that somebody watches.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "source/mount_namespace.h"

namespace watchq {

/// Opens a namespace when its first watch is set and lets it go with the last. One thread.
class MountSource {
 public:
  /// `io` outlives this.
  MountSource(boost::asio::io_context& io, const MountSourceOptions& options)
      : io_(io), options_(options) {}

  /// Follows the namespace that this /proc/PID/ns/mnt names for as long as the result is kept.
  /// Throws RequestError: EOPNOTSUPP where the kernel has no mount events, EPERM where we may not
  /// look, or what else the kernel says.
  std::shared_ptr<MountNamespace> open(int namespace_fd, EventSink& sink);

  /// How mounts are watched, and why no better way is in use: for people.
  [[nodiscard]] std::string backend() const { return "fanotify"; }
  [[nodiscard]] const MountCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t namespaces() const;

 private:
  boost::asio::io_context& io_;
  const MountSourceOptions options_;
  MountCounters counters_;
  std::unordered_map<std::uint64_t, std::weak_ptr<MountNamespace>> namespaces_;
};

}  // namespace watchq
