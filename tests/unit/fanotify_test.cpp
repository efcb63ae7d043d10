// SPDX-License-Identifier: MIT
// Decoding of fanotify mount events, from bytes placed by hand.
#include "kernel/fanotify.h"

#include <gtest/gtest.h>
#include <sys/fanotify.h>

#include <cstring>
#include <system_error>

#include "kernel/uapi.h"

namespace watchq {
namespace {

/// Events as the kernel lays them out.
class Events {
 public:
  Events& event(std::uint64_t mask, std::int32_t pid, std::span<const std::byte> infos = {}) {
    fanotify_event_metadata event{};
    event.event_len = static_cast<std::uint32_t>(sizeof event + infos.size());
    event.vers = FANOTIFY_METADATA_VERSION;
    event.metadata_len = sizeof event;
    event.mask = mask;
    event.fd = FAN_NOFD;
    event.pid = pid;
    append(&event, sizeof event);
    append(infos.data(), infos.size());
    return *this;
  }
  Events& mount(std::uint64_t mask, std::uint64_t id, std::int32_t pid = 0) {
    const uapi::FanotifyInfoMnt info{uapi::kFanEventInfoTypeMnt, 0, sizeof info, 0, id};
    return event(mask, pid, std::as_bytes(std::span(&info, 1)));
  }
  /// Overwrites a value at this offset.
  template <typename Value>
  Events& patch(std::size_t offset, Value value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return *this;
  }

  std::vector<std::byte> bytes;

 private:
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), first, first + size);
  }
};

void expect_malformed(const Events& events) {
  try {
    decode_mount_changes(events.bytes);
    FAIL() << "decoded";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EBADMSG);
  }
}

constexpr std::size_t kInfoOffset = sizeof(fanotify_event_metadata);

TEST(FanotifyDecode, TellsAttachDetachAndMoveApart) {
  Events events;
  events.mount(uapi::kFanMntAttach, 11, 100)
      .mount(uapi::kFanMntDetach, 22)
      .mount(uapi::kFanMntAttach | uapi::kFanMntDetach, (std::uint64_t{1} << 40) + 3);
  const auto changes = decode_mount_changes(events.bytes);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_TRUE(changes[0].attached && !changes[0].detached && !changes[0].overflow);
  EXPECT_EQ(changes[0].mount, 11u);
  EXPECT_EQ(changes[0].pid, 100);
  EXPECT_TRUE(!changes[1].attached && changes[1].detached);
  EXPECT_EQ(changes[1].mount, 22u);
  EXPECT_TRUE(changes[2].attached && changes[2].detached);
  EXPECT_EQ(changes[2].mount, (std::uint64_t{1} << 40) + 3);
}

TEST(FanotifyDecode, TakesAnOverflowForWhatItIsThoughItNamesNoMount) {
  const auto changes = decode_mount_changes(Events().event(FAN_Q_OVERFLOW, 0).bytes);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].overflow);
  EXPECT_FALSE(changes[0].attached || changes[0].detached);
}

TEST(FanotifyDecode, StepsOverInfoRecordsOfOtherTypes) {
  std::vector<std::byte> infos(12);
  infos[0] = std::byte{FAN_EVENT_INFO_TYPE_PIDFD};
  infos[2] = std::byte{12};
  const uapi::FanotifyInfoMnt info{uapi::kFanEventInfoTypeMnt, 0, sizeof info, 0, 5};
  const auto mount = std::as_bytes(std::span(&info, 1));
  infos.insert(infos.end(), mount.begin(), mount.end());
  const auto changes = decode_mount_changes(Events().event(uapi::kFanMntAttach, 0, infos).bytes);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].mount, 5u);
}

TEST(FanotifyDecode, GivesNothingForNothing) { EXPECT_TRUE(decode_mount_changes({}).empty()); }

TEST(FanotifyDecode, RefusesWhatIsNoWholeEvent) {
  const Events whole = Events().mount(uapi::kFanMntAttach, 1);
  for (std::size_t size = 1; size < whole.bytes.size(); ++size) {
    Events cut = whole;
    cut.bytes.resize(size);
    expect_malformed(cut);
  }
}

TEST(FanotifyDecode, RefusesLengthsThatLie) {
  const Events whole = Events().mount(uapi::kFanMntAttach, 1);
  const auto size = static_cast<std::uint32_t>(whole.bytes.size());
  expect_malformed(Events(whole).patch<std::uint32_t>(0, size + 1));
  expect_malformed(Events(whole).patch<std::uint32_t>(0, 0));
  expect_malformed(Events(whole).patch<std::uint16_t>(6, 8));
  expect_malformed(Events(whole).patch<std::uint16_t>(kInfoOffset + 2, 0));
  expect_malformed(Events(whole).patch<std::uint16_t>(kInfoOffset + 2, 8));
  expect_malformed(Events(whole).patch<std::uint16_t>(kInfoOffset + 2, 40));
}

TEST(FanotifyDecode, RefusesAnotherVersionAndAMountEventWithoutItsMount) {
  const Events whole = Events().mount(uapi::kFanMntAttach, 1);
  expect_malformed(Events(whole).patch<std::uint8_t>(4, FANOTIFY_METADATA_VERSION + 1));
  expect_malformed(Events().event(uapi::kFanMntDetach, 0));
}

}  // namespace
}  // namespace watchq
