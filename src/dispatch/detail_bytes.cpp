// SPDX-License-Identifier: MIT
#include "dispatch/detail_bytes.h"

#include <algorithm>

#include "dispatch/record.h"

namespace watchq {

std::uint16_t DetailBytes::append(const std::string& text, std::size_t longest) {
  if (text.empty()) return 0;
  const std::size_t length = std::min(text.size(), longest - 1);
  if (length < text.size()) cut_ = true;
  const std::size_t offset = size_;
  std::memcpy(bytes_.data() + offset, text.data(), length);
  size_ += length + 1;
  return static_cast<std::uint16_t>(offset);
}

void DetailBytes::complete(watch_notification& header, std::uint8_t tag) {
  size_ = (size_ + kSlotBytes - 1) / kSlotBytes * kSlotBytes;
  header.type = WATCHQ_TYPE_DETAIL;
  header.info = info_of(size_, tag) | (cut_ ? WATCHQ_DETAIL_IS_CUT : 0);
}

}  // namespace watchq
