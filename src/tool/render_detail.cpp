// SPDX-License-Identifier: MIT
#include "tool/render_detail.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "report/mount_attributes.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

void add_superblock(Json& object, const Record& record, const superblock_notification& body) {
  const bool flag_0 = record.has(WATCH_INFO_FLAG_0);
  object["superblock"] = body.sb_id;
  if (record.subtype() == NOTIFY_SUPERBLOCK_READONLY) object["read_only"] = flag_0;
  if (record.subtype() == NOTIFY_SUPERBLOCK_NETWORK) object["down"] = flag_0;
  const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
  if (error && record.subtype() == NOTIFY_SUPERBLOCK_ERROR) {
    object["error"] = error->error_number;
    const char* name = ::strerrorname_np(static_cast<int>(error->error_number));
    if (name != nullptr) object["error_name"] = name;
    object["cookie"] = error->error_cookie;
  }
}

template <typename Value>
void add_known(Json& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

}  // namespace

void add_body(Json& object, const Record& record) {
  const bool flag_0 = record.has(WATCH_INFO_FLAG_0);
  if (const auto space = record.as<watchq_space_notification>(WATCHQ_TYPE_SPACE)) {
    object["below"] = flag_0;
    object["superblock"] = space->sb_id;
    object["free"] = space->free;
    object["total"] = space->total;
    object["unit"] = record.subtype() == WATCHQ_SPACE_BLOCKS ? "bytes" : "inodes";
  } else if (const auto mount = record.as<mount_notification>(WATCH_TYPE_MOUNT_NOTIFY)) {
    object["triggered_on"] = mount->triggered_on;
    object["changed_mount"] = mount->changed_mount;
    if (record.subtype() == NOTIFY_MOUNT_READONLY) object["read_only"] = flag_0;
    if (record.subtype() == NOTIFY_MOUNT_NEW_MOUNT) object["automatic"] = flag_0;
  } else if (const auto sb = record.as<superblock_notification>(WATCH_TYPE_SB_NOTIFY)) {
    add_superblock(object, record, *sb);
  } else if (const auto key = record.as<key_notification>(WATCH_TYPE_KEY_NOTIFY)) {
    object["key"] = key->key_id;
    object["aux"] = key->aux;
  } else if (const auto lost = record.as<watchq_lost_notification>(WATCHQ_TYPE_LOST)) {
    object["lost"] = lost->lost;
  }
}

void add_detail(Json& object, const Record& record, const Detail& detail) {
  add_known(object, "fs_type", detail.fs_type);
  add_known(object, "source", detail.source);
  add_known(object, "root", detail.root);
  add_known(object, "device", detail.device);
  if (record.type() == WATCH_TYPE_MOUNT_NOTIFY) {
    object["attributes"] = attribute_names(detail.attributes);
  }
  if (detail.mount != 0) object["unique_mount"] = detail.mount;
  if (detail.parent != 0) object["unique_parent"] = detail.parent;
  if (detail.pid != 0) object["pid"] = detail.pid;
  if (record.is(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_EDQUOT)) {
    constexpr const char* kQuotaTypes[] = {"user", "group", "project"};
    const std::uint32_t type = detail.quota_type.value_or(0);
    object["quota_type"] = type < std::size(kQuotaTypes) ? Json(kQuotaTypes[type]) : Json(type);
    add_known(object, "quota_id", detail.quota_id);
  }
  add_known(object, "key_type", detail.key_type);
  add_known(object, "description", detail.description);
  if (detail.is_cut) object["cut"] = true;
}

}  // namespace watchq
