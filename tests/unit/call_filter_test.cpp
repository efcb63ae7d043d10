// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <thread>

#include "kernel/confinement.h"

namespace watchq {
namespace {

/// What a call gives in a process of its own with the filter: its errno, or 0. Ends the process.
[[noreturn]] void confined(const std::function<long()>& call) {
  forbid_new_privileges();
  restrict_calls();
  errno = 0;
  ::_exit(call() < 0 ? errno : 0);
}

void expect_refused(const std::function<long()>& call) {
  EXPECT_EXIT(confined(call), testing::ExitedWithCode(ENOSYS), "system call [0-9]+ .*refused");
}

void expect_allowed(const std::function<long()>& call) {
  EXPECT_EXIT(confined(call), testing::ExitedWithCode(0), "^$");
}

TEST(CallFilter, FilesAreOpenedForReadingOnly) {
  expect_allowed([] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); });
  expect_allowed([] { return ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC); });
  expect_refused([] { return ::open("/dev/null", O_WRONLY); });
  expect_refused([] { return ::open("/dev/null", O_RDWR); });
  expect_refused([] { return ::open("/tmp", O_TMPFILE | O_RDWR, 0600); });
  expect_refused([] { return ::open("/tmp/watchq-call-filter", O_RDONLY | O_CREAT, 0600); });
}

TEST(CallFilter, NothingIsMadeRemovedOrRenamed) {
  expect_refused([] { return ::mkdir("/tmp/watchq-call-filter", 0700); });
  expect_refused([] { return ::unlink("/tmp/watchq-call-filter"); });
  expect_refused([] { return ::rename("/tmp/watchq-call-filter", "/tmp/watchq-call-filter2"); });
  expect_refused([] { return ::chmod("/tmp/watchq-call-filter", 0); });
  expect_refused([] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr); });
}

TEST(CallFilter, NoNetworkAndNoNewNamespaces) {
  expect_allowed([] { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); });
  expect_refused([] { return ::socket(AF_INET, SOCK_STREAM, 0); });
  expect_refused([] { return ::unshare(CLONE_NEWNS); });
}

TEST(CallFilter, HoldsForThreadsThatThereWereBefore) {
  const auto act = [] {
    std::atomic<bool> filtered = false;
    std::atomic<int> error = 0;
    std::thread other([&] {
      while (!filtered) std::this_thread::yield();
      if (::socket(AF_INET, SOCK_STREAM, 0) < 0) error = errno;
    });
    forbid_new_privileges();
    restrict_calls();
    filtered = true;
    other.join();
    ::_exit(error);
  };
  EXPECT_EXIT(act(), testing::ExitedWithCode(ENOSYS), "refused");
}

}  // namespace
}  // namespace watchq
