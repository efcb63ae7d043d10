// SPDX-License-Identifier: MIT
// Filter on arbitrary bytes from a client: which are refused, and what the others let pass,
// compared with the rule of the interface written out plainly.
//
// Input: a struct watch_notification_filter and its entries, then record headers.
#include <array>

#include "base/error.h"
#include "fuzz/fuzz_input.h"
#include "queue/filter.h"

namespace watchq {
namespace {

using Entries = std::vector<watch_notification_type_filter>;

bool acceptable(const watch_notification_filter& header, const Entries& entries) {
  if (header.nr_filters < 1 || header.nr_filters > 16 || header.__reserved != 0) return false;
  for (const auto& entry : entries) {
    if ((entry.info_filter | entry.info_mask) != entry.info_mask) return false;
    if ((entry.info_mask & 0x1f8) != 0) return false;
  }
  return true;
}

bool should_pass(const Entries& entries, const watch_notification& record) {
  if (record.type == 0) return true;
  for (const auto& entry : entries) {
    const bool subtype =
        (entry.subtype_filter[record.subtype / 32] & 1u << record.subtype % 32) != 0;
    if (entry.type == record.type && subtype &&
        (record.info & entry.info_mask) == entry.info_filter) {
      return true;
    }
  }
  return false;
}

/// As many entries as the header names, but no more than a client may name.
Entries take_entries(FuzzInput& input, const watch_notification_filter& header) {
  Entries entries;
  for (std::uint32_t i = 0; i < std::min(header.nr_filters, Filter::kMaxEntries); ++i) {
    entries.push_back(input.take<watch_notification_type_filter>());
  }
  return entries;
}

void filter(FuzzInput input) {
  // Read as words: a filter's header ends in a flexible array.
  watch_notification_filter header{};
  header.nr_filters = input.take<std::uint32_t>();
  header.__reserved = input.take<std::uint32_t>();
  const Entries entries = take_entries(input, header);
  try {
    require(Filter::checked_count(header) == entries.size(), "the count is the header's");
    const Filter filter(entries);
    require(acceptable(header, entries), "what breaks a rule is refused");
    do {
      const auto record = input.take<watch_notification>();
      require(filter.passes(record) == should_pass(entries, record), "the rule decides");
    } while (!input.empty());
  } catch (const RequestError& refusal) {
    require(refusal.error() == EINVAL && !acceptable(header, entries),
            "only what breaks a rule is");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::filter(watchq::FuzzInput(data, size));
  return 0;
}
