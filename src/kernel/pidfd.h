// SPDX-License-Identifier: MIT
// pidfd_open(2) and pidfd_send_signal(2) (Linux 5.3): the sys/pidfd.h of glibc 2.36 is not for C++.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace watchq {

/// A descriptor of a child that has not been waited for; -1 with errno. Closed on exec.
inline int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

/// Sends a signal; nothing happens when the process has ended.
inline void send_signal(int pidfd, int number) {
  ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
}

}  // namespace watchq
