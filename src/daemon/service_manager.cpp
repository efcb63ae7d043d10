// SPDX-License-Identifier: MIT
#include "daemon/service_manager.h"

#include <cstdint>

#include "version.h"

#if WATCHQ_HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace watchq {
namespace {

void notify([[maybe_unused]] const char* state) {
#if WATCHQ_HAVE_LIBSYSTEMD
  // 0: it is for us alone, not for what we may start. Its failure is the service manager's to see.
  ::sd_notify(0, state);
#endif
}

}  // namespace

void notify_ready() { notify("READY=1"); }

void notify_stopping() { notify("STOPPING=1"); }

std::chrono::microseconds watchdog_time() {
  std::uint64_t microseconds = 0;
#if WATCHQ_HAVE_LIBSYSTEMD
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) microseconds = 0;
#endif
  return std::chrono::microseconds(microseconds);
}

void notify_alive() { notify("WATCHDOG=1"); }

}  // namespace watchq
