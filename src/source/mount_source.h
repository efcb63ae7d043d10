// SPDX-License-Identifier: MIT
// MountSource: the mount namespaces that somebody watches, each by the best way there is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "source/mount_namespace.h"

namespace watchq {

enum class MountBackend {
  automatic,  ///< fanotify, where it works
  fanotify,
  mountinfo,
};

/// Opens a namespace when its first watch is set and lets it go with the last. One thread.
class MountSource {
 public:
  /// `io` and `options` outlive this; the options may change.
  MountSource(boost::asio::io_context& io, MountBackend wanted, const MountSourceOptions& options);

  /// Follows the namespace that this /proc/PID/ns/mnt names for as long as the result is kept;
  /// `sink` outlives that. Throws RequestError: EOPNOTSUPP where the kernel lacks what the forced
  /// backend needs, EPERM where we may not look, or what else the kernel says.
  std::shared_ptr<MountNamespace> open(int namespace_fd, EventSink& sink);

  /// The backend in use, found by trying it once, and why a better one is not: empty when it is the
  /// best.
  struct InUse {
    std::string backend;
    std::string why;
  };
  [[nodiscard]] const InUse& in_use() const { return in_use_; }
  [[nodiscard]] const MountCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t namespaces() const;

 private:
  std::shared_ptr<MountNamespace> make(int namespace_fd, EventSink& sink);

  boost::asio::io_context& io_;
  const MountBackend wanted_;
  const MountSourceOptions& options_;
  const InUse in_use_;
  MountCounters counters_;
  std::unordered_map<std::uint64_t, std::weak_ptr<MountNamespace>> namespaces_;
};

}  // namespace watchq
