// SPDX-License-Identifier: MIT
#include "dispatch/superblock_record.h"

#include <cinttypes>
#include <cstdio>

#include "dispatch/record.h"

namespace watchq {
namespace {

superblock_notification_type subtype_of(SuperblockEventKind kind) {
  switch (kind) {
    case SuperblockEventKind::readonly:
      return NOTIFY_SUPERBLOCK_READONLY;
    case SuperblockEventKind::error:
      return NOTIFY_SUPERBLOCK_ERROR;
    case SuperblockEventKind::edquot:
      return NOTIFY_SUPERBLOCK_EDQUOT;
    case SuperblockEventKind::network:
      return NOTIFY_SUPERBLOCK_NETWORK;
  }
  __builtin_unreachable();
}

}  // namespace

SuperblockRecord::SuperblockRecord(const SuperblockEvent& event, std::uint8_t tag)
    : size_(event.kind == SuperblockEventKind::error ? sizeof(superblock_error_notification)
                                                     : sizeof(superblock_notification)) {
  record_.s.watch.type = WATCH_TYPE_SB_NOTIFY;
  record_.s.watch.subtype = static_cast<std::uint8_t>(subtype_of(event.kind));
  record_.s.watch.info = info_of(size_, tag);
  static_assert(NOTIFY_SUPERBLOCK_IS_NOW_RO == NOTIFY_SUPERBLOCK_IS_DOWN);
  if (event.on) record_.s.watch.info |= NOTIFY_SUPERBLOCK_IS_NOW_RO;
  record_.s.sb_id = event.superblock;
  record_.error_number = event.error_number;
  record_.error_cookie = event.error_cookie;
}

std::span<const std::byte> SuperblockRecord::bytes() const {
  return bytes_of(record_).first(size_);
}

SuperblockDetail::SuperblockDetail(const SuperblockEvent& event, const Superblock& superblock,
                                   const Mount* mount, const std::string& root, std::uint8_t tag) {
  watchq_superblock_detail detail{};
  detail.watch.subtype = WATCH_TYPE_SB_NOTIFY;
  detail.sb_id = event.superblock;
  // "major:minor", as the kernel wrote it.
  std::sscanf(superblock.device.c_str(), "%" SCNu32 ":%" SCNu32, &detail.device_major,
              &detail.device_minor);
  detail.quota_type = event.quota_type;
  detail.quota_id = event.quota_id;
  std::string place;
  if (mount != nullptr) place = path_from(root, mount->info.mount_point);
  if (!place.empty()) detail.mount = mount->info.mount;
  // A long path leaves room for the two short texts behind it.
  constexpr std::size_t kShort = 64;
  detail.fs_type = bytes_.append(superblock.fs_type, kShort);
  detail.source = bytes_.append(superblock.source, kMaxRecordBytes / 4);
  detail.mount_point = bytes_.append(place, kMaxRecordBytes - bytes_.size());
  bytes_.finish(detail, tag);
}

}  // namespace watchq
