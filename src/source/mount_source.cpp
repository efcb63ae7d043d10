// SPDX-License-Identifier: MIT
#include "source/mount_source.h"

#include <algorithm>

#include "base/error.h"
#include "kernel/mount_namespace_fd.h"

namespace watchq {
namespace {

/// What a client is told when a namespace cannot be followed. EINVAL and ENOTTY are the kernel's
/// way to say that it does not know mount events or namespace IDs.
int refusal(int error) {
  return error == EINVAL || error == ENOTTY || error == ENOSYS ? EOPNOTSUPP : error;
}

}  // namespace

std::shared_ptr<MountNamespace> MountSource::open(int namespace_fd, EventSink& sink) {
  try {
    auto& known = namespaces_[mount_namespace_id(namespace_fd)];
    auto opened = known.lock();
    if (!opened) {
      std::erase_if(namespaces_, [](const auto& entry) { return entry.second.expired(); });
      opened = std::make_shared<MountNamespace>(io_, namespace_fd, options_, sink, counters_);
      namespaces_[opened->id()] = opened;
      opened->start();
    }
    return opened;
  } catch (const std::system_error& error) {
    throw RequestError(refusal(error.code().value()), error.what());
  }
}

std::size_t MountSource::namespaces() const {
  return static_cast<std::size_t>(
      std::count_if(namespaces_.begin(), namespaces_.end(),
                    [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace watchq
