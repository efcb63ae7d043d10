// SPDX-License-Identifier: MIT
#include "source/mount_source.h"

#include <fcntl.h>

#include <algorithm>

#include "base/error.h"
#include "kernel/fanotify.h"
#include "kernel/mount_namespace_fd.h"
#include "source/mount_fanotify.h"
#include "source/mount_poll.h"

namespace watchq {
namespace {

/// EINVAL and ENOTTY are the kernel's way to say that it knows no mount events or namespace IDs.
bool means_unsupported(int error) { return error == EINVAL || error == ENOTTY || error == ENOSYS; }

/// Why fanotify does not tell of mounts here; empty when it does.
std::string fanotify_missing() {
  try {
    const UniqueFd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    mount_namespace_id(own.get());
    open_mount_fanotify(own.get());
    return {};
  } catch (const std::system_error& error) {
    return error.what();
  }
}

MountSource::InUse try_backends(MountBackend wanted) {
  if (wanted == MountBackend::mountinfo) return {"mountinfo", "forced by --mount-backend"};
  const std::string missing = fanotify_missing();
  if (missing.empty()) return {"fanotify", {}};
  if (wanted == MountBackend::fanotify) return {"none", "forced to fanotify: " + missing};
  return {"mountinfo", missing};
}

}  // namespace

MountSource::MountSource(boost::asio::io_context& io, MountBackend wanted,
                         const MountSourceOptions& options)
    : io_(io), wanted_(wanted), options_(options), in_use_(try_backends(wanted)) {}

std::shared_ptr<MountNamespace> MountSource::open(int namespace_fd, EventSink& sink) {
  try {
    const std::uint64_t id = mount_namespace_inode(namespace_fd);
    if (const auto known = namespaces_.find(id); known != namespaces_.end()) {
      if (auto opened = known->second.lock()) return opened;
    }
    std::erase_if(namespaces_, [](const auto& entry) { return entry.second.expired(); });
    auto opened = make(namespace_fd, sink);
    namespaces_[id] = opened;
    opened->start();
    return opened;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    throw RequestError(means_unsupported(code) ? EOPNOTSUPP : code, error.what());
  }
}

std::shared_ptr<MountNamespace> MountSource::make(int namespace_fd, EventSink& sink) {
  const MountContext context{io_, options_, sink, counters_};
  if (wanted_ != MountBackend::mountinfo) {
    try {
      return std::make_shared<MountFanotify>(context, namespace_fd);
    } catch (const std::system_error&) {
      // No such events here, no right to them, or no more groups: mountinfo does in each case.
      if (wanted_ == MountBackend::fanotify) throw;
    }
  }
  return std::make_shared<MountPoll>(context, namespace_fd);
}

std::size_t MountSource::namespaces() const {
  return static_cast<std::size_t>(
      std::count_if(namespaces_.begin(), namespaces_.end(),
                    [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace watchq
