// SPDX-License-Identifier: MIT
#include "tool/record.h"

#include <algorithm>

namespace watchq {

std::optional<std::string> Record::text_at(std::size_t offset) const {
  if (offset == 0 || offset >= length_) return std::nullopt;
  const char* begin = reinterpret_cast<const char*>(bytes_.data()) + offset;
  const char* end = reinterpret_cast<const char*>(bytes_.data()) + length_;
  return std::string(begin, std::find(begin, end, '\0'));
}

std::string Record::words() const {
  alignas(8) std::array<std::byte, WATCH_INFO_LENGTH> bytes = bytes_;
  watch_notification header = header_;
  header.info &= ~(WATCH_INFO_OVERRUN | WATCH_INFO_ENOMEM);
  std::memcpy(bytes.data(), &header, sizeof header);

  std::array<char, 256> text;
  ::watchq_record_format(reinterpret_cast<const watch_notification*>(bytes.data()), length_,
                         text.data(), text.size());
  return text.data();
}

}  // namespace watchq
