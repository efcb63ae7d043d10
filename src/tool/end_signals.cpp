// SPDX-License-Identifier: MIT
#include "tool/end_signals.h"

#include <sys/signalfd.h>

#include <ctime>

#include "base/error.h"

namespace watchq {

EndSignals::EndSignals() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  fd_ = UniqueFd(::signalfd(-1, &signals_, SFD_CLOEXEC));
  if (!fd_.valid()) throw_errno("signalfd");
  ::sigprocmask(SIG_BLOCK, &signals_, &before_);
}

EndSignals::~EndSignals() {
  // What has come has been heeded; unblocked now, it would kill the process.
  const timespec at_once{};
  while (::sigtimedwait(&signals_, nullptr, &at_once) > 0) {
  }
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace watchq
