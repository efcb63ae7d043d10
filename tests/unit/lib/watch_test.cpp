// SPDX-License-Identifier: MIT
// What the calls of libwatchq that set watches ask of the daemon: ioctl() is replaced here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <watchq/compat.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

namespace {

/// What the daemon was asked last.
struct Asked {
  int fd = -1;
  unsigned long request = 0;
  watchq_watch watch{};
  watchq_key_watch key{};
  std::filesystem::path object;  ///< where the descriptor in it led at that time
  bool path_only = false;        ///< whether that descriptor was opened with O_PATH
};
std::optional<Asked> asked;
int answer = 0;  // the errno of the daemon's answer

std::filesystem::path path_of(int fd) {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), none);
}

}  // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  const void* argument = va_arg(arguments, const void*);
  va_end(arguments);

  Asked call;
  call.fd = fd;
  call.request = request;
  int object = -1;
  if (request == WATCHQ_IOC_KEY_NOTIFY || request == WATCHQ_IOC_KEYRING_NOTIFY) {
    std::memcpy(&call.key, argument, sizeof call.key);
    object = call.key.view;
  } else {
    std::memcpy(&call.watch, argument, sizeof call.watch);
    object = call.watch.object;
  }
  call.object = path_of(object);
  call.path_only = (::fcntl(object, F_GETFL) & O_PATH) != 0;
  asked = call;
  errno = answer;
  return answer == 0 ? 0 : -1;
}

namespace {

constexpr int kQueue = 1000;  // never open here: only ioctl() sees it

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    asked.reset();
    answer = 0;
  }
};

auto open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

TEST_F(WatchTest, AMountWatchNamesThePathByADescriptorOfItsOwn) {
  ASSERT_EQ(::watchq_mount_notify(AT_FDCWD, "/proc", 0, kQueue, 7), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->fd, kQueue);
  EXPECT_EQ(asked->request, WATCHQ_IOC_MOUNT_NOTIFY);
  EXPECT_EQ(asked->watch.size, sizeof(watchq_watch));
  EXPECT_EQ(asked->watch.tag, 7);
  EXPECT_EQ(asked->watch.flags, 0u);
  EXPECT_EQ(asked->object, "/proc");
  EXPECT_TRUE(asked->path_only);
}

TEST_F(WatchTest, PathsAreTakenFromTheDirectoryAndMayBeEmpty) {
  const int directory = ::open("/proc", O_PATH | O_CLOEXEC);
  EXPECT_EQ(::watchq_sb_notify(directory, "sys", 0, kQueue, 1), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->request, WATCHQ_IOC_SB_NOTIFY);
  EXPECT_EQ(asked->object, "/proc/sys");
  EXPECT_EQ(::watchq_sb_notify(directory, "", 0, kQueue, 1), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(::watchq_sb_notify(directory, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, kQueue, -1), 0);
  EXPECT_EQ(asked->object, "/proc");
  EXPECT_EQ(asked->watch.tag, -1);
  ::close(directory);
}

TEST_F(WatchTest, FlagsOfWatchqArePassedOn) {
  EXPECT_EQ(::watchq_watch_mount(AT_FDCWD, "/", 0, kQueue, 1, WATCHQ_SNAPSHOT), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->watch.flags, WATCHQ_SNAPSHOT);
  EXPECT_EQ(::watchq_watch_sb(AT_FDCWD, "/", 0, kQueue, 1, WATCHQ_ALL), 0);
  EXPECT_EQ(asked->watch.flags, WATCHQ_ALL);
  EXPECT_EQ(::watchq_watch_key(1, kQueue, 1, WATCHQ_CHILDREN), 0);
  EXPECT_EQ(asked->key.flags, WATCHQ_CHILDREN);
}

TEST_F(WatchTest, OtherPathFlagsAreRefusedBeforeAnythingIsAsked) {
  for (const unsigned int flags : {unsigned{AT_SYMLINK_NOFOLLOW}, unsigned{AT_RECURSIVE}, 1u}) {
    EXPECT_EQ(::watchq_mount_notify(AT_FDCWD, "/", flags, kQueue, 1), -1);
    EXPECT_EQ(errno, EINVAL);
  }
  EXPECT_FALSE(asked);
}

TEST_F(WatchTest, AKeyWatchShowsTheDaemonWhatItsCallerMayView) {
  ASSERT_EQ(::watchq_keyctl_watch_key(1234, kQueue, 9), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->request, WATCHQ_IOC_KEY_NOTIFY);
  EXPECT_EQ(asked->key.size, sizeof(watchq_key_watch));
  EXPECT_EQ(asked->key.key, 1234);
  EXPECT_EQ(asked->key.tag, 9);
  EXPECT_EQ(asked->key.reserved, 0u);
  EXPECT_EQ(asked->object, "/proc/keys");
}

TEST_F(WatchTest, SpecialKeysAreTheCallersOwn) {
  const auto user_keyring =
      static_cast<int>(::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0));
  ASSERT_GT(user_keyring, 0);
  ASSERT_EQ(::watchq_keyctl_watch_key(KEY_SPEC_USER_KEYRING, kQueue, 1), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->key.key, user_keyring);
  asked.reset();
  EXPECT_EQ(::watchq_keyctl_watch_key(-99, kQueue, 1), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(asked);
}

TEST_F(WatchTest, AFileThatIsNoQueueIsInvalid) {
  answer = ENOTTY;
  EXPECT_EQ(::watchq_mount_notify(AT_FDCWD, "/", 0, kQueue, 1), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::watchq_keyctl_watch_key(1, kQueue, 1), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(WatchTest, OtherAnswersComeBackAsTheyAre) {
  for (const int error : {EBUSY, EBADSLT, EBADF, EOPNOTSUPP, ENOTCONN}) {
    answer = error;
    EXPECT_EQ(::watchq_sb_notify(AT_FDCWD, "/", 0, kQueue, 1), -1);
    EXPECT_EQ(errno, error);
  }
}

TEST_F(WatchTest, NothingStaysOpenBehindACall) {
  const auto before = open_files();
  for (const int error : {0, EBUSY}) {
    answer = error;
    ::watchq_mount_notify(AT_FDCWD, "/", 0, kQueue, 1);
    ::watchq_keyctl_watch_key(1, kQueue, 1);
  }
  EXPECT_EQ(open_files(), before);
}

TEST_F(WatchTest, TheNamesOf2018LeadToTheSameCalls) {
  EXPECT_EQ(::mount_notify(AT_FDCWD, "/", 0, kQueue, 2), 0);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->request, WATCHQ_IOC_MOUNT_NOTIFY);
  EXPECT_EQ(::sb_notify(AT_FDCWD, "/", 0, kQueue, 3), 0);
  EXPECT_EQ(asked->request, WATCHQ_IOC_SB_NOTIFY);
  EXPECT_EQ(asked->watch.tag, 3);
  EXPECT_EQ(::keyctl_watch_key(1, kQueue, 4), 0);
  EXPECT_EQ(asked->request, WATCHQ_IOC_KEY_NOTIFY);
  EXPECT_STREQ(DEV_WATCH_QUEUE, "/watchq/queue");
}

}  // namespace
