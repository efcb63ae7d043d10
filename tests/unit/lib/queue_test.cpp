// SPDX-License-Identifier: MIT
// A queue of libwatchq over a ring in a memfd, which the daemon's own producer fills.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mapping.h"
#include "base/memfd.h"
#include "queue/ring_producer.h"

namespace watchq {
namespace {

constexpr std::size_t kRingBytes = 4096;

struct Close {
  void operator()(struct watchq_queue* queue) const { ::watchq_close(queue); }
};
using Queue = std::unique_ptr<struct watchq_queue, Close>;

class QueueTest : public testing::Test {
 protected:
  QueueTest() {
    size_and_seal_memfd(memfd_.get(), kRingBytes);
    memory_ = Mapping::shared(memfd_.get(), kRingBytes);
    producer_.emplace(memory_.bytes());
    queue_.reset(::watchq_attach(::dup(memfd_.get())));
  }

  void post(std::uint32_t changed_mount) {
    mount_notification record{};
    record.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
    record.watch.info = sizeof record;
    record.changed_mount = changed_mount;
    ASSERT_EQ(producer_->post(std::as_bytes(std::span(&record, 1))), PostResult::posted);
  }

  /// The changed mount of the next record; 0 when there is none.
  std::uint32_t next() {
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    if (::watchq_next(queue_.get(), &record, &length) != 1) return 0;
    EXPECT_EQ(length, sizeof(mount_notification));
    mount_notification mount{};
    std::memcpy(&mount, record, sizeof mount);
    return mount.changed_mount;
  }

  UniqueFd memfd_ = create_memfd("ring");
  Mapping memory_;
  std::optional<RingProducer> producer_;
  Queue queue_;
};

TEST_F(QueueTest, HandsOutRecordsInTheirOrderThenNone) {
  post(1);
  post(2);
  EXPECT_EQ(next(), 1u);
  EXPECT_EQ(next(), 2u);
  EXPECT_EQ(next(), 0u);
}

TEST_F(QueueTest, NeverLosesARecordWhileItIsDrainedOverManyRoundsOfTheRing) {
  for (std::uint32_t i = 1; i <= 10 * kRingBytes / sizeof(mount_notification); ++i) {
    post(i);
    ASSERT_EQ(next(), i);
  }
  EXPECT_EQ(producer_->lost(), 0u);
}

TEST_F(QueueTest, KeepsARecordUntilTheNextCallAndGivesItBackThen) {
  post(1);
  post(2);
  const std::uint32_t start = producer_->tail();
  EXPECT_EQ(next(), 1u);
  EXPECT_EQ(producer_->tail(), start);
  EXPECT_EQ(next(), 2u);
  EXPECT_EQ(producer_->tail(), start + 2);
}

TEST_F(QueueTest, WaitFindsARecordAndLeavesItToNext) {
  post(1);
  EXPECT_EQ(::watchq_wait(queue_.get(), -1), 1);
  EXPECT_EQ(::watchq_wait(queue_.get(), -1), 1);
  EXPECT_EQ(next(), 1u);
  EXPECT_EQ(::watchq_wait(queue_.get(), 0), 0);
}

TEST_F(QueueTest, WaitMakesNoSystemCallWhenARecordIsThere) {
  post(1);
  const pid_t child = ::fork();
  if (child == 0) {
    // From here on any system call but exit kills the process.
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    ::syscall(SYS_exit, ::watchq_wait(queue_.get(), -1));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(QueueTest, ReportsContentsThatMakeNoSenseAndGoesOnWhenTheyAreMended) {
  post(1);
  std::byte* info = memory_.bytes().data() + (kMetaSlots * kSlotBytes) + 4;
  const std::byte length = std::exchange(*info, std::byte{0});
  const watch_notification* record = nullptr;
  std::size_t size = 0;
  errno = 0;
  EXPECT_EQ(::watchq_next(queue_.get(), &record, &size), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_EQ(::watchq_wait(queue_.get(), 0), -1);
  *info = length;
  EXPECT_EQ(next(), 1u);
}

TEST_F(QueueTest, CloseClosesTheDescriptorAndKeepsErrno) {
  const int fd = ::watchq_fd(queue_.get());
  errno = ERANGE;
  queue_.reset();
  EXPECT_EQ(errno, ERANGE);
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
  ::watchq_close(nullptr);
}

TEST(QueueAttach, LeavesADescriptorThatIsNoRingToTheCaller) {
  UniqueFd empty = create_memfd("empty");
  EXPECT_EQ(::watchq_attach(empty.get()), nullptr);
  EXPECT_EQ(errno, EINVAL);
  UniqueFd odd = create_memfd("odd");
  size_and_seal_memfd(odd.get(), 3 * kRingBytes);
  EXPECT_EQ(::watchq_attach(odd.get()), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_NE(::fcntl(odd.get(), F_GETFD), -1);
  EXPECT_EQ(::watchq_attach(-1), nullptr);
  EXPECT_EQ(errno, EBADF);
}

class QueueOpen : public testing::Test {
 protected:
  QueueOpen() {
    std::string name = testing::TempDir() + "watchq.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp");
    directory_ = name;
  }
  ~QueueOpen() override {
    ::unsetenv("WATCHQ_MOUNT");
    std::filesystem::remove_all(directory_);
  }

  std::filesystem::path directory_;
};

TEST_F(QueueOpen, SaysWhatIsNotThereAndWhatIsNoQueue) {
  const std::string path = directory_ / "queue";
  EXPECT_EQ(::watchq_open(path.c_str(), 1), nullptr);
  EXPECT_EQ(errno, ENOENT);
  std::ofstream(path).put('x');
  EXPECT_EQ(::watchq_open(path.c_str(), 1), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(QueueOpen, LooksForTheQueueWhereTheEnvironmentSays) {
  ::setenv("WATCHQ_MOUNT", directory_.c_str(), 1);
  EXPECT_EQ(::watchq_open(nullptr, 1), nullptr);
  EXPECT_EQ(errno, ENOENT);
  std::ofstream(directory_ / "queue").put('x');
  EXPECT_EQ(::watchq_open(nullptr, 1), nullptr);
  EXPECT_EQ(errno, EINVAL);
  ::setenv("WATCHQ_MOUNT", std::string(5000, 'x').c_str(), 1);
  EXPECT_EQ(::watchq_open(nullptr, 1), nullptr);
  EXPECT_EQ(errno, ENAMETOOLONG);
}

}  // namespace
}  // namespace watchq
