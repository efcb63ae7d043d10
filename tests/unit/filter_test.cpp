// SPDX-License-Identifier: MIT
// Filter: the documented rule, and which filters a client may not set.
#include "queue/filter.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace watchq {
namespace {

watch_notification make_header(std::uint32_t type, std::uint32_t subtype, std::uint32_t info = 8) {
  watch_notification header{};
  header.type = type & 0xffffffu;
  header.subtype = subtype & 0xffu;
  header.info = info;
  return header;
}

watch_notification_type_filter entry_for(std::uint32_t type) {
  watch_notification_type_filter entry{};
  entry.type = type;
  std::fill(std::begin(entry.subtype_filter), std::end(entry.subtype_filter), 0xffffffffu);
  return entry;
}

Filter filter_of(const watch_notification_type_filter& entry) {
  return Filter(std::span(&entry, 1));
}

template <typename Call>
void expect_einval(Call call) {
  try {
    call();
    ADD_FAILURE() << "was taken";
  } catch (const RequestError& refusal) {
    EXPECT_EQ(refusal.error(), EINVAL);
  }
}

void expect_count_refused(std::uint32_t count, std::uint32_t reserved) {
  // static: clang captures no variable with a flexible array.
  static watch_notification_filter header;
  header.nr_filters = count;
  header.__reserved = reserved;
  expect_einval([] { Filter::checked_count(header); });
}

TEST(FilterTest, TakesEverythingWhenThereIsNone) {
  EXPECT_TRUE(Filter().passes(make_header(0, 0)));
  EXPECT_TRUE(Filter().passes(make_header(0xffffff, 0xff, 0xffffffffu)));
}

TEST(FilterTest, HasOneToSixteenEntries) {
  watch_notification_filter header{};
  for (const std::uint32_t count : {1u, 2u, 16u}) {
    header.nr_filters = count;
    EXPECT_EQ(Filter::checked_count(header), count);
  }
  for (const std::uint32_t count : {0u, 17u, 0x10001u, 0xffffffffu}) expect_count_refused(count, 0);
}

TEST(FilterTest, HasAReservedWordThatIsZero) {
  expect_count_refused(1, 1);
  expect_count_refused(16, 0x80000000u);
}

TEST(FilterTest, RefusesAnInfoFilterOutsideItsMask) {
  auto entry = entry_for(1);
  entry.info_mask = 0x00030000u;
  for (const std::uint32_t filter : {0u, 0x00010000u, 0x00030000u}) {
    entry.info_filter = filter;
    EXPECT_NO_THROW(filter_of(entry));
  }
  for (const std::uint32_t filter : {0x00040000u, 0x00070000u, 1u, 0x80000000u}) {
    entry.info_filter = filter;
    expect_einval([&] { filter_of(entry); });
  }
}

TEST(FilterTest, RefusesAMaskThatCoversAnyBitOfTheLength) {
  auto entry = entry_for(1);
  for (unsigned int bit = 0; bit < 32; ++bit) {
    entry.info_mask = 1u << bit;
    if (bit >= 3 && bit <= 8) {
      expect_einval([&] { filter_of(entry); });
    } else {
      EXPECT_NO_THROW(filter_of(entry)) << "bit " << bit;
    }
  }
}

TEST(FilterTest, RefusesAllWhenOneOfItsEntriesIsRefused) {
  std::array entries{entry_for(1), entry_for(2)};
  entries[1].info_filter = 1;
  expect_einval([&] { Filter{entries}; });
}

TEST(FilterTest, TakesOnlyTheTypesOfItsEntries) {
  const std::array entries{entry_for(WATCH_TYPE_MOUNT_NOTIFY), entry_for(0x800002)};
  const Filter filter(entries);
  EXPECT_TRUE(filter.passes(make_header(1, 0)));
  EXPECT_TRUE(filter.passes(make_header(0x800002, 0)));
  EXPECT_FALSE(filter.passes(make_header(2, 0)));
  EXPECT_FALSE(filter.passes(make_header(0x800001, 0)));
}

TEST(FilterTest, ComparesTheWholeTypeOfAnEntryThoughRecordsHave24Bits) {
  EXPECT_FALSE(filter_of(entry_for(0x01000001)).passes(make_header(1, 0)));
}

TEST(FilterTest, TakesOnlyTheSubtypesWhoseBitsAreSet) {
  for (const std::uint32_t chosen : {0u, 1u, 31u, 32u, 63u, 64u, 128u, 254u, 255u}) {
    watch_notification_type_filter entry{};
    entry.type = 1;
    entry.subtype_filter[chosen / 32] = 1u << (chosen % 32);
    const Filter filter = filter_of(entry);
    for (std::uint32_t subtype = 0; subtype < 256; ++subtype) {
      EXPECT_EQ(filter.passes(make_header(1, subtype)), subtype == chosen)
          << "subtype " << subtype << ", bit " << chosen;
    }
  }
}

TEST(FilterTest, TakesOnlyInfoThatEqualsTheFilterUnderTheMask) {
  auto entry = entry_for(1);
  entry.info_mask = 0xff010001u;
  entry.info_filter = 0x2a010000u;
  const Filter filter = filter_of(entry);
  EXPECT_TRUE(filter.passes(make_header(1, 0, 0x2a010008u)));
  EXPECT_TRUE(filter.passes(make_header(1, 0, 0x2affff1eu & ~1u)));  // all else is free
  EXPECT_FALSE(filter.passes(make_header(1, 0, 0x2b010008u)));
  EXPECT_FALSE(filter.passes(make_header(1, 0, 0x2a000008u)));
  EXPECT_FALSE(filter.passes(make_header(1, 0, 0x2a010009u)));
}

TEST(FilterTest, TakesARecordThatAnyOneEntryTakesWhole) {
  std::array entries{entry_for(1), entry_for(1)};
  entries[0].subtype_filter[0] = 1;  // subtype 0, with FLAG_0
  entries[0].info_mask = entries[0].info_filter = WATCH_INFO_FLAG_0;
  entries[1].subtype_filter[0] = 2;  // subtype 1, without
  entries[1].info_mask = WATCH_INFO_FLAG_0;
  const Filter filter(entries);
  EXPECT_TRUE(filter.passes(make_header(1, 0, WATCH_INFO_FLAG_0)));
  EXPECT_FALSE(filter.passes(make_header(1, 0, 0)));
  EXPECT_TRUE(filter.passes(make_header(1, 1, 0)));
  EXPECT_FALSE(filter.passes(make_header(1, 1, WATCH_INFO_FLAG_0)));
}

TEST(FilterTest, DoesNotApplyToMetaRecords) {
  auto entry = entry_for(1);
  entry.info_mask = entry.info_filter = WATCH_INFO_FLAG_7;
  const Filter filter = filter_of(entry);
  EXPECT_TRUE(filter.passes(make_header(0, WATCH_META_SKIP_NOTIFICATION)));
  EXPECT_TRUE(filter.passes(make_header(0, WATCH_META_REMOVAL_NOTIFICATION, 0x2a000008u)));
}

TEST(FilterTest, RemembersItsEntriesAsTheyWereGiven) {
  const std::array entries{entry_for(3), entry_for(1)};
  const Filter filter(entries);
  ASSERT_EQ(filter.entries().size(), 2u);
  EXPECT_EQ(filter.entries()[0].type, 3u);
  EXPECT_EQ(filter.entries()[1].type, 1u);
}

}  // namespace
}  // namespace watchq
