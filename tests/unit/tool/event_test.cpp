// SPDX-License-Identifier: MIT
// Records put together to events, and which of them a filter takes.
#include "tool/event.h"

#include <gtest/gtest.h>

#include "make_record.h"
#include "tool/event_words.h"

namespace watchq {
namespace {

/// A detail of a mount at /a.
Record detail_record() {
  watchq_mount_detail body{};
  body.watch.type = WATCHQ_TYPE_DETAIL;
  body.watch.subtype = WATCH_TYPE_MOUNT_NOTIFY;
  body.mount = 1000;
  body.pid = 42;
  body.mount_point = sizeof body;
  struct {
    watchq_mount_detail body;
    char text[8];
  } whole{body, "/a"};
  return Record::make(whole, 3);
}

const Record kMounted = mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102);

TEST(Events, ADetailBelongsToTheRecordBeforeIt) {
  const auto events = events_of({kMounted, detail_record(), kMounted}, {});
  ASSERT_EQ(events.size(), 2U);
  ASSERT_TRUE(events[0].detail);
  EXPECT_EQ(events[0].path, "/a");
  EXPECT_EQ(events[0].detail->mount, 1000U);
  EXPECT_EQ(events[0].detail->pid, 42);
  EXPECT_FALSE(events[0].detail->source);
  EXPECT_FALSE(events[1].detail);
}

TEST(Events, ACountBelongsToTheLossBeforeIt) {
  const Record after_loss = mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102, WATCH_INFO_OVERRUN);
  const Record count = make_record(WATCHQ_TYPE_LOST, 0, 0, std::uint64_t{17});
  const auto events = events_of({after_loss, detail_record(), count, kMounted}, {});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].lost, 17U);
  EXPECT_TRUE(events[0].follows_a_loss());
  EXPECT_FALSE(events[1].follows_a_loss());
}

TEST(Events, ATextOutsideItsRecordIsNone) {
  EXPECT_FALSE(kMounted.text_at(0));
  EXPECT_FALSE(kMounted.text_at(kMounted.length()));
  EXPECT_FALSE(kMounted.text_at(65535));
  EXPECT_EQ(detail_record().text_at(sizeof(watchq_mount_detail)), "/a");
}

TEST(Events, WhatIsBelowAPathHasASlashBehindIt) {
  EXPECT_TRUE(is_at_or_below("/a", "/a"));
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
  EXPECT_FALSE(is_at_or_below("/", "/a"));
}

EventFilter filter_of(std::initializer_list<const char*> words) {
  EventFilter filter;
  for (const char* word : words) filter.add(*find_event_word(word));
  return filter;
}

/// Whether the ring lets a record through, by the rule of the documented interface.
bool ring_passes(const EventFilter& filter, const Record& record, bool keeps_places = false) {
  const watch_notification& header = *record.bytes();
  for (const watch_notification_type_filter& entry : filter.ring_filter(keeps_places)) {
    if (entry.type == header.type && (header.info & entry.info_mask) == entry.info_filter &&
        (entry.subtype_filter[header.subtype >> 5] >> (header.subtype & 31) & 1) != 0) {
      return true;
    }
  }
  return false;
}

TEST(EventFilterTest, TheRingLetsThroughWhatIsWantedAndNothingElse) {
  for (const EventWord& word : event_words()) {
    EventFilter filter;
    filter.add(word);
    ASSERT_LE(filter.ring_filter(false).size(), 16U);
    for (const std::uint32_t type : {1U, 2U, 3U, 0x800003U}) {
      for (std::uint32_t subtype = 0; subtype < 10; ++subtype) {
        for (const std::uint32_t flag : {0U, WATCH_INFO_FLAG_0}) {
          const Record record = make_record(type, subtype, flag, std::uint64_t{1}, 28u, 0u);
          EXPECT_EQ(ring_passes(filter, record), filter.passes(record))
              << word.name << ' ' << type << ' ' << subtype << ' ' << flag;
        }
      }
    }
  }
}

TEST(EventFilterTest, AllWordsTogetherFitTheRing) {
  EventFilter filter;
  for (const EventWord& word : event_words()) filter.add(word);
  EXPECT_LE(filter.ring_filter(true).size(), 16U);
}

TEST(EventFilterTest, WhoWantsMountsThatComeAlsoGetsThoseThatGo) {
  const EventFilter filter = filter_of({"mounted"});
  const Record gone = mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102);
  EXPECT_TRUE(ring_passes(filter, gone, true));
  EXPECT_FALSE(filter.passes(gone));
  EXPECT_FALSE(ring_passes(filter_of({"ro"}), gone, true));
}

TEST(EventFilterTest, WhatTheRingCannotTellApartTheFilterDoes) {
  const auto error = [](std::uint32_t number) {
    return make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR, 0, std::uint64_t{1}, number,
                       0u);
  };
  const EventFilter filter = filter_of({"full"});
  EXPECT_TRUE(ring_passes(filter, error(EIO)));
  EXPECT_FALSE(filter.passes(error(EIO)));
  EXPECT_TRUE(filter.passes(error(ENOSPC)));
}

TEST(EventFilterTest, WithoutAnythingNamedAllPassAndNoFilterIsSet) {
  EXPECT_TRUE(EventFilter().passes(kMounted));
  EXPECT_TRUE(EventFilter().ring_filter(true).empty());
  EXPECT_FALSE(ring_passes(filter_of({"gone"}), kMounted));
  EXPECT_FALSE(filter_of({"gone"}).ring_filter(false).empty());
}

}  // namespace
}  // namespace watchq
