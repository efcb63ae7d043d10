// SPDX-License-Identifier: MIT
// Closing what the kernel may take long to let go.
#pragma once

#include <memory>
#include <utility>

#include "base/unique_fd.h"

namespace watchq {

/// Lets go of an object, the last reference to which this is, by a thread that does nothing else.
/// To close a tracepoint, the kernel waits until no processor can be in it any more; to close a
/// group of fanotify or inotify, the kernel waits until marks of all groups of the machine are
/// gone, and with these inodes whose filesystem may have to be asked: it may be us (Linux 6.18,
/// fsnotify_wait_marks_destroyed()). Any thread; never blocks. What is left when the process ends,
/// the kernel closes.
void close_aside(std::shared_ptr<const void> object);

/// The same of a descriptor.
inline void close_aside(UniqueFd fd) {
  close_aside(std::make_shared<const UniqueFd>(std::move(fd)));
}

/// Starts that thread, which else the first descriptor does: where none is to be had later.
void start_closing_aside();

}  // namespace watchq
