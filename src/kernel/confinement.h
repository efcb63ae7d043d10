// SPDX-License-Identifier: MIT
// Confinement: gives up what the daemon does not need.
#pragma once

namespace watchq {

/// No core dump shall hold other people's records, and nobody but root look at this process.
void forbid_core_dumps();

/// Keeps of the capabilities that there are those that serving takes, in the bounding set too where
/// CAP_SETPCAP allows. For a process with one thread: each thread has its own. Throws
/// std::system_error.
///
///   SYS_ADMIN        mount(2), FUSE passthrough, fanotify, statmount(2) and setns(2) elsewhere
///   SYS_CHROOT       setns(2) into a mount namespace
///   SYS_PTRACE       what a client's descriptors and its filter's address point to
///   DAC_READ_SEARCH  watched directories are found again by their handles
///   PERFMON          tracepoints: the errors that filesystems do not report, and keys
///   BPF              programs in the kernel that tell of keys
///   SETUID, SETGID   a FUSE server is asked by a process of the user who mounted it,
///   KILL             which is ended when nobody wants its answer
void keep_needed_capabilities();

/// Neither this process nor what it starts gains rights by starting a program. Throws
/// std::system_error.
void forbid_new_privileges();

/// Allows all threads, and the programs that are started, the system calls that serving takes, and
/// to open files for reading only. Another call fails with ENOSYS in this process, which says so on
/// standard error, and ends a program that it has started. Needs forbid_new_privileges() or
/// CAP_SYS_ADMIN. Does nothing in a build with a sanitizer, whose runtime makes calls of its own.
/// Throws std::system_error.
void restrict_calls();

}  // namespace watchq
