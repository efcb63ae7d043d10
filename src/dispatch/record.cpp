// SPDX-License-Identifier: MIT
#include "dispatch/record.h"

#include "source/mount_table.h"

namespace watchq {
namespace {

mount_notification_subtype subtype_of(MountEventKind kind) {
  switch (kind) {
    case MountEventKind::new_mount:
      return NOTIFY_MOUNT_NEW_MOUNT;
    case MountEventKind::unmount:
      return NOTIFY_MOUNT_UNMOUNT;
    case MountEventKind::expiry:
      return NOTIFY_MOUNT_EXPIRY;
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

}  // namespace

std::uint32_t info_of(std::size_t bytes, std::uint8_t tag) {
  return static_cast<std::uint32_t>(bytes) | std::uint32_t{tag} << WATCH_INFO_ID__SHIFT;
}

std::string path_from(const std::string& root, const std::string& path) {
  if (root == "/" || path.empty()) return path;
  return place_in_parent(path, root).value_or("");
}

mount_notification mount_record(const MountEvent& event, std::uint8_t tag, bool below) {
  mount_notification record{};
  record.watch.type = WATCH_TYPE_MOUNT_NOTIFY;
  record.watch.subtype = static_cast<std::uint8_t>(subtype_of(event.kind));
  record.watch.info = info_of(sizeof record, tag);
  if (below) record.watch.info |= WATCH_INFO_IN_SUBTREE;
  if (event.recursive) record.watch.info |= WATCH_INFO_RECURSIVE;
  if (event.submount) record.watch.info |= NOTIFY_MOUNT_IS_SUBMOUNT;
  if (event.kind == MountEventKind::readonly && event.now_readonly) {
    record.watch.info |= NOTIFY_MOUNT_IS_NOW_RO;
  }
  record.triggered_on = event.triggered_on;
  record.changed_mount = event.changed_mount;
  return record;
}

DetailRecord::DetailRecord(const MountEvent& event, std::uint8_t tag, const std::string& root,
                           bool with_pid) {
  // Of each text at least this much is kept, whatever the others need.
  constexpr std::size_t kShortText = 64;
  constexpr std::size_t kLongText = kMaxRecordBytes - sizeof(watchq_mount_detail) - 3 * kShortText;
  watchq_mount_detail detail{};
  const MountInfo& mount = event.mount;
  detail.mount = mount.mount;
  detail.parent = mount.parent;
  detail.pid = with_pid ? event.pid : 0;
  detail.attributes = static_cast<std::uint32_t>(mount.attributes);
  detail.mount_point = bytes_.append(path_from(root, mount.mount_point), kLongText);
  detail.root = bytes_.append(mount.root, kShortText);
  detail.fs_type = bytes_.append(mount.fs_type, kShortText);
  detail.source = bytes_.append(mount.source, kShortText);
  detail.watch.subtype = WATCH_TYPE_MOUNT_NOTIFY;
  bytes_.finish(detail, tag);
}

watch_notification snapshot_record(std::uint8_t tag) {
  watch_notification record{};
  record.type = WATCHQ_TYPE_SNAPSHOT;
  record.info = info_of(sizeof record, tag);
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
