// SPDX-License-Identifier: MIT
#include "tool/progress.h"

#include <unistd.h>

#include <string>

namespace watchq {
namespace {

// Short snapshots have no time for a line; more often than this nobody can read it.
constexpr auto kInterval = std::chrono::milliseconds(200);

}  // namespace

Progress::Progress(const Output& output, const Output& error, bool prints)
    : error_(error),
      draws_(::isatty(error.fd()) == 1 && !(prints && ::isatty(output.fd()) == 1)),
      next_(std::chrono::steady_clock::now() + kInterval) {}

void Progress::count(bool in_snapshot) {
  if (!draws_ || !in_snapshot) return;
  ++records_;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  error_.write("\rwatchq: what is there already: " + std::to_string(records_));
  is_drawn_ = true;
}

void Progress::clear() {
  if (!is_drawn_) return;
  error_.write("\r\033[K");
  is_drawn_ = false;
}

void Progress::end() {
  clear();
  records_ = 0;
}

}  // namespace watchq
