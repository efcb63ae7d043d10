// SPDX-License-Identifier: MIT
#include "dispatch/record.h"

namespace watchq {
namespace {

mount_notification_subtype subtype_of(MountEventKind kind) {
  switch (kind) {
    case MountEventKind::new_mount:
      return NOTIFY_MOUNT_NEW_MOUNT;
    case MountEventKind::unmount:
      return NOTIFY_MOUNT_UNMOUNT;
    case MountEventKind::readonly:
      return NOTIFY_MOUNT_READONLY;
    case MountEventKind::setattr:
      return NOTIFY_MOUNT_SETATTR;
    case MountEventKind::move_from:
      return NOTIFY_MOUNT_MOVE_FROM;
    case MountEventKind::move_to:
      return NOTIFY_MOUNT_MOVE_TO;
  }
  __builtin_unreachable();
}

/// Length and tag as the info word has them.
std::uint32_t info_of(std::size_t bytes, std::uint8_t tag) {
  return static_cast<std::uint32_t>(bytes) | std::uint32_t{tag} << WATCH_INFO_ID__SHIFT;
}

}  // namespace

mount_notification mount_record(const MountEvent& event, std::uint8_t tag, bool below) {
  mount_notification record{};
  record.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
  record.watch.subtype = static_cast<std::uint8_t>(subtype_of(event.kind));
  record.watch.info = info_of(sizeof record, tag);
  if (below) record.watch.info |= WATCH_INFO_IN_SUBTREE;
  if (event.kind == MountEventKind::readonly && event.now_readonly) {
    record.watch.info |= NOTIFY_MOUNT_IS_NOW_RO;
  }
  record.triggered_on = event.triggered_on;
  record.changed_mount = event.changed_mount;
  return record;
}

watch_notification removal_record(std::uint8_t tag) {
  watch_notification record{};
  record.type = WATCH_TYPE_META;
  record.subtype = WATCH_META_REMOVAL_NOTIFICATION;
  record.info = info_of(sizeof record, tag);
  return record;
}

}  // namespace watchq
