// SPDX-License-Identifier: MIT
#include "tool/daemon_wait.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tool/command_runner.h"

namespace watchq {
namespace {

// For a mount that is there before its daemon serves, and for what no mount tells.
constexpr int kLookMs = 250;

}  // namespace

DaemonWait::DaemonWait(std::string directory, int signal_fd, int output_fd)
    : directory_(std::move(directory)),
      signal_fd_(signal_fd),
      output_fd_(output_fd),
      mounts_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

DaemonWait::Result DaemonWait::wait(std::optional<std::chrono::steady_clock::time_point> deadline,
                                    Queue& queue, unsigned int& pages) {
  for (;;) {
    try {
      queue = open_queue(directory_, pages);
      return Result::open;
    } catch (const Failure& failure) {
      if (failure.status() != ExitStatus::no_daemon) throw;
    }
    const int left = time_left(deadline);
    if (left == 0) return Result::timed_out;
    std::array<pollfd, 3> waited = {
        {{mounts_.get(), POLLPRI, 0}, {signal_fd_, POLLIN, 0}, {output_fd_, 0, 0}}};
    ::poll(waited.data(), waited.size(), left < 0 ? kLookMs : std::min(left, kLookMs));
    if (waited[1].revents != 0 || waited[2].revents != 0) return Result::interrupted;
  }
}

}  // namespace watchq
