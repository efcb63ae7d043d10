// SPDX-License-Identifier: MIT
// Records for tests of the command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tool/record.h"

namespace watchq {

/// A record: its header, then `body` as it lies in memory.
template <typename... Words>
Record make_record(std::uint32_t type, std::uint32_t subtype, std::uint32_t info, Words... body) {
  alignas(8) std::array<std::byte, WATCH_INFO_LENGTH> bytes{};
  std::size_t length = sizeof(watch_notification);
  ((std::memcpy(bytes.data() + length, &body, sizeof body), length += sizeof body), ...);
  watch_notification header{};
  header.type = type & 0xffffff;
  header.subtype = subtype & 0xff;
  header.info = info | static_cast<std::uint32_t>(length);
  std::memcpy(bytes.data(), &header, sizeof header);
  return {reinterpret_cast<const watch_notification*>(bytes.data()), length};
}

inline Record mount_record(std::uint32_t subtype, std::uint32_t triggered_on,
                           std::uint32_t changed_mount, std::uint32_t info = 0) {
  return make_record(WATCH_TYPE_MOUNT_NOTIFY, subtype, info, triggered_on, changed_mount);
}

}  // namespace watchq
