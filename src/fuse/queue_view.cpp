// SPDX-License-Identifier: MIT
#include "fuse/queue_view.h"

#include <watchq/watchq.h>

#include <array>
#include <cstring>
#include <optional>
#include <sstream>

#include "queue/ring_layout.h"

namespace watchq {
namespace {

constexpr std::size_t kShownRecords = 64;

/// One record of a ring, in memory of our own.
struct Copy {
  alignas(watch_notification) std::array<std::byte, kMaxRecordBytes> bytes{};
  std::size_t length = 0;

  [[nodiscard]] const watch_notification* record() const {
    return reinterpret_cast<const watch_notification*>(bytes.data());
  }
};

/// Copies the record at a slot; nothing when what stands there is none. `left` is how many slots
/// there are up to the head.
std::optional<Copy> copy_record(std::span<const std::byte> memory, std::uint32_t slot,
                                std::uint32_t left) {
  const std::size_t offset = slot * kSlotBytes;
  Copy copy;
  std::memcpy(copy.bytes.data(), memory.data() + offset, kSlotBytes);
  const std::size_t length = length_of(copy.record()->info);
  if (length == 0 || length > memory.size() - offset || length > left * kSlotBytes) {
    return std::nullopt;
  }
  // The header stays as it was read: the client may have written another since.
  std::memcpy(copy.bytes.data() + kSlotBytes, memory.data() + offset + kSlotBytes,
              length - kSlotBytes);
  copy.length = length;
  return copy;
}

std::string words_of(const Copy& copy) {
  std::array<char, 256> text;
  ::watchq_record_format(copy.record(), copy.length, text.data(), text.size());
  return text.data();
}

void describe_waiting(std::ostream& out, std::span<const std::byte> memory, std::uint32_t head,
                      std::uint32_t tail) {
  const auto slots = static_cast<std::uint32_t>(memory.size() / kSlotBytes);
  std::size_t shown = 0;
  while (tail != head) {
    const auto copy = copy_record(memory, tail & (slots - 1), head - tail);
    if (!copy) {
      out << "waiting: what stands in slot " << (tail & (slots - 1)) << " is no record\n";
      return;
    }
    tail += static_cast<std::uint32_t>(copy->length / kSlotBytes);
    const watch_notification& record = *copy->record();
    if (record.type == WATCH_TYPE_META && record.subtype == WATCH_META_SKIP_NOTIFICATION) continue;
    if (shown == kShownRecords) {
      out << "waiting: more, up to slot " << (head & (slots - 1)) << '\n';
      return;
    }
    out << "waiting: " << words_of(*copy) << '\n';
    ++shown;
  }
}

void describe_ring(std::ostream& out, const WatchQueue& queue) {
  const auto memory = queue.memory();
  const auto slots = static_cast<std::uint32_t>(memory.size() / kSlotBytes);
  const std::uint32_t head = queue.head();
  const std::uint32_t tail = queue.tail();
  out << "ring: " << memory.size() << " bytes, " << slots << " slots\n"
      << "head: " << head << ", slot " << (head & (slots - 1)) << '\n'
      << "tail: " << tail << ", slot " << (tail & (slots - 1)) << '\n';
  if (queue.broken() || !plausible_indices(slots, head, tail)) {
    out << "free: unknown, the indices make no sense\n";
    return;
  }
  out << "free: " << slots - (head - tail) << " slots\n";
  describe_waiting(out, memory, head, tail);
}

void describe_filter(std::ostream& out, const Filter& filter) {
  if (filter.entries().empty()) out << "filter: none\n";
  for (const watch_notification_type_filter& entry : filter.entries()) {
    const char* type = ::watchq_type_name(entry.type);
    out << "filter: type " << (type != nullptr ? type : std::to_string(entry.type)) << " subtypes ";
    const char* separator = "";
    for (std::uint32_t subtype = 0; subtype < 256; ++subtype) {
      if ((entry.subtype_filter[subtype >> 5U] >> (subtype & 31U) & 1U) == 0) continue;
      const char* name = ::watchq_subtype_name(entry.type, subtype);
      out << separator << (name != nullptr ? name : std::to_string(subtype));
      separator = ",";
    }
    out << std::hex << " info 0x" << entry.info_filter << " of 0x" << entry.info_mask << std::dec
        << '\n';
  }
}

}  // namespace

std::string describe_queue(const QueueOpened& opened, const WatchQueue& queue,
                           const std::vector<std::string>& watches) {
  std::ostringstream out;
  out << "queue: " << opened.id << '\n'
      << "owner: " << opened.owner << '\n'
      << "opened: " << (opened.read_only ? "for reading" : "to be mapped") << '\n'
      << "posted: " << queue.posted() << '\n'
      << "lost: " << queue.lost() << '\n';
  describe_filter(out, queue.filter());
  for (const std::string& watch : watches) out << "watch: " << watch << '\n';
  if (queue.has_ring()) {
    describe_ring(out, queue);
  } else {
    out << "ring: none yet\n";
  }
  return std::move(out).str();
}

}  // namespace watchq
