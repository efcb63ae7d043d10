// SPDX-License-Identifier: MIT
// MountFiles: the mounts of a caller's namespace as JSON documents.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "fuse/mount_directory.h"
#include "source/mount_source.h"

namespace watchq {

/// Keeps the namespace that was last asked for a little longer, since who lists mounts goes on to
/// read them. One thread.
class MountFiles final : public MountDirectory {
 public:
  /// All three outlive this; `sink` hears of what happens in namespaces that somebody watches too.
  MountFiles(boost::asio::io_context& io, MountSource& mounts, EventSink& sink)
      : mounts_(mounts), sink_(sink), linger_(io) {}

  std::vector<std::uint32_t> list(const Peer& caller, std::uint32_t from,
                                  std::size_t most) override;
  bool shows(const Peer& caller, std::uint32_t id) override;
  std::optional<std::string> describe(const Peer& caller, std::uint32_t id) override;

  /// The caller's namespace, with all that has happened to it so far.
  const MountNamespace& mounts_of(const Peer& caller);

 private:
  const MountTable& table_of(const Peer& caller) { return mounts_of(caller).table(); }

  MountSource& mounts_;
  EventSink& sink_;
  boost::asio::steady_timer linger_;
  std::shared_ptr<MountNamespace> last_;
};

}  // namespace watchq
