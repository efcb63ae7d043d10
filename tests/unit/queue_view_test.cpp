// SPDX-License-Identifier: MIT
// What is said of a queue whose ring a client can write.
#include "fuse/queue_view.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "queue/ring_layout.h"

namespace watchq {
namespace {

class QueueViewTest : public testing::Test {
 protected:
  QueueViewTest() { queue.set_ring(Mapping::anonymous(kPageBytes)); }

  void post(std::uint32_t subtype) {
    mount_notification record{};
    record.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
    record.watch.subtype = subtype & 0xFFU;
    record.watch.info = sizeof record;
    queue.post(std::as_bytes(std::span(&record, 1)));
  }
  void set(std::size_t offset, std::uint32_t word) {
    std::memcpy(queue.memory().data() + offset, &word, sizeof word);
  }
  [[nodiscard]] std::string text() const { return describe_queue({77, 1000, false}, queue, {}); }
  [[nodiscard]] bool says(const std::string& line) const {
    return text().find('\n' + line + '\n') != std::string::npos;
  }

  WatchQueue queue{[] {}, 1000};
};

TEST_F(QueueViewTest, SaysHowFullTheRingIs) {
  post(NOTIFY_MOUNT_NEW_MOUNT);
  EXPECT_TRUE(says("owner: 1000"));
  EXPECT_TRUE(says("ring: 4096 bytes, 512 slots"));
  EXPECT_TRUE(says("head: 5, slot 5"));
  EXPECT_TRUE(says("tail: 3, slot 3"));
  EXPECT_TRUE(says("free: 510 slots"));
  EXPECT_TRUE(says("waiting: mounted: unknown mount on unknown mount, tag 0")) << text();
}

TEST_F(QueueViewTest, BelievesNoIndices) {
  post(NOTIFY_MOUNT_NEW_MOUNT);
  for (const std::uint32_t tail : {0x80000000U, 4U + 512U, 1U, 6U, 0xFFFFFFFFU}) {
    set(offsetof(watch_queue_buffer, meta.tail), tail);
    EXPECT_TRUE(says("free: unknown, the indices make no sense") ||
                text().find("is no record") != std::string::npos)
        << tail;
  }
}

TEST_F(QueueViewTest, SaysWhatNoRecordIs) {
  post(NOTIFY_MOUNT_NEW_MOUNT);
  for (const std::uint32_t info : {0U, 24U, 504U, 0xFFFFFFFFU}) {
    set(3 * kSlotBytes + 4, info);
    EXPECT_TRUE(says("waiting: what stands in slot 3 is no record")) << info;
  }
}

TEST_F(QueueViewTest, StaysWithinTheRingWhateverIsInIt) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    for (std::byte& byte : queue.memory()) byte = static_cast<std::byte>(random());
    set(offsetof(watch_queue_buffer, meta.head), queue.head());
    set(offsetof(watch_queue_buffer, meta.tail),
        queue.head() - static_cast<std::uint32_t>(random() % 513));
    EXPECT_LT(text().size(), 32768u);
    post(NOTIFY_MOUNT_NEW_MOUNT);
  }
}

}  // namespace
}  // namespace watchq
