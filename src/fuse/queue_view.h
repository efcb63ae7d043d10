// SPDX-License-Identifier: MIT
// What `queues/ID` says of a queue.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "queue/watch_queue.h"

namespace watchq {

/// How a queue was opened, and by whom.
struct QueueOpened {
  ino_t id = 0;
  uid_t owner = 0;
  bool read_only = false;
};

/// A text of lines "name: value", for people who look for a defect. `watches` are described
/// already. The ring is the client's to write: nothing in it is believed, and of the records that
/// wait only the first are shown.
std::string describe_queue(const QueueOpened& opened, const WatchQueue& queue,
                           const std::vector<std::string>& watches);

}  // namespace watchq
