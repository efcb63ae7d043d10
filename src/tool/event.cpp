// SPDX-License-Identifier: MIT
#include "tool/event.h"

namespace watchq {
namespace {

Detail mount_detail(const Record& record, const watchq_mount_detail& body) {
  Detail detail;
  detail.mount = body.mount;
  detail.parent = body.parent;
  detail.pid = body.pid;
  detail.attributes = body.attributes;
  detail.path = record.text_at(body.mount_point);
  detail.root = record.text_at(body.root);
  detail.fs_type = record.text_at(body.fs_type);
  detail.source = record.text_at(body.source);
  return detail;
}

Detail superblock_detail(const Record& record, const watchq_superblock_detail& body) {
  Detail detail;
  detail.mount = body.mount;
  detail.path = record.text_at(body.mount_point);
  detail.fs_type = record.text_at(body.fs_type);
  detail.source = record.text_at(body.source);
  detail.device = std::to_string(body.device_major) + ':' + std::to_string(body.device_minor);
  detail.quota_type = body.quota_type;
  detail.quota_id = body.quota_id;
  return detail;
}

Detail key_detail(const Record& record, const watchq_key_detail& body) {
  Detail detail;
  detail.pid = body.pid;
  detail.key_type = record.text_at(body.key_type);
  detail.description = record.text_at(body.description);
  return detail;
}

}  // namespace

std::optional<Detail> detail_of(const Record& record) {
  std::optional<Detail> detail;
  if (record.subtype() == WATCH_TYPE_MOUNT_NOTIFY) {
    const auto body = record.as<watchq_mount_detail>(WATCHQ_TYPE_DETAIL);
    if (body) detail = mount_detail(record, *body);
  } else if (record.subtype() == WATCH_TYPE_SB_NOTIFY) {
    const auto body = record.as<watchq_superblock_detail>(WATCHQ_TYPE_DETAIL);
    if (body) detail = superblock_detail(record, *body);
  }
  if (record.subtype() == WATCH_TYPE_KEY_NOTIFY) {
    const auto body = record.as<watchq_key_detail>(WATCHQ_TYPE_DETAIL);
    if (body) detail = key_detail(record, *body);
  }
  if (detail) detail->is_cut = record.has(WATCHQ_DETAIL_IS_CUT);
  return detail;
}

std::vector<Event> events_of(const std::vector<Record>& records,
                             std::chrono::system_clock::time_point time) {
  std::vector<Event> events;
  for (const Record& record : records) {
    if (!events.empty()) {
      Event& before = events.back();
      if (record.type() == WATCHQ_TYPE_DETAIL) {
        before.detail = detail_of(record);
        if (before.detail) before.path = before.detail->path;
        continue;
      }
      const auto lost = record.as<watchq_lost_notification>(WATCHQ_TYPE_LOST);
      if (lost && before.follows_a_loss() && !before.lost) {
        before.lost = lost->lost;
        continue;
      }
    }
    events.push_back({record, {}, time, {}, Origin::change, {}});
  }
  return events;
}

bool is_at_or_below(const std::string& path, const std::string& top) {
  if (!path.starts_with(top)) return false;
  return path.size() == top.size() || top.ends_with('/') || path[top.size()] == '/';
}

}  // namespace watchq
