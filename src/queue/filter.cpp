// SPDX-License-Identifier: MIT
#include "queue/filter.h"

#include <algorithm>

#include "base/error.h"

namespace watchq {

std::uint32_t Filter::checked_count(const watch_notification_filter& header) {
  if (header.nr_filters == 0 || header.nr_filters > kMaxEntries) {
    throw RequestError(EINVAL, "a filter has 1 to 16 entries");
  }
  if (header.__reserved != 0) throw RequestError(EINVAL, "the filter's reserved word is not 0");
  return header.nr_filters;
}

Filter::Filter(std::span<const watch_notification_type_filter> entries)
    : entries_(entries.begin(), entries.end()) {
  for (const auto& entry : entries_) {
    if ((entry.info_filter & ~entry.info_mask) != 0) {
      throw RequestError(EINVAL, "info_filter has bits outside info_mask");
    }
    if ((entry.info_mask & WATCH_INFO_LENGTH) != 0) {
      throw RequestError(EINVAL, "info_mask covers the record's length");
    }
  }
}

bool Filter::passes(const watch_notification& record) const {
  if (entries_.empty() || record.type == WATCH_TYPE_META) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    const std::uint32_t subtypes = entry.subtype_filter[record.subtype >> 5];
    return entry.type == record.type && ((subtypes >> (record.subtype & 31)) & 1) != 0 &&
           (record.info & entry.info_mask) == entry.info_filter;
  });
}

}  // namespace watchq
