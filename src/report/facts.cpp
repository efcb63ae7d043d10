// SPDX-License-Identifier: MIT
#include "report/facts.h"

#include <watchq/watch_queue.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace watchq {
namespace {

template <typename Fixed>
std::optional<Fixed> fixed_part(std::span<const std::byte> detail) {
  if (detail.size() < sizeof(Fixed)) return std::nullopt;
  Fixed fixed{};
  std::memcpy(&fixed, detail.data(), sizeof fixed);
  return fixed;
}

/// The text at an offset, up to its NUL; nothing where there is none.
std::optional<std::string> text_at(std::span<const std::byte> detail, std::size_t offset) {
  if (offset < sizeof(watch_notification) || offset >= detail.size()) return std::nullopt;
  const auto rest = detail.subspan(offset);
  const auto end = std::find(rest.begin(), rest.end(), std::byte{});
  if (end == rest.end()) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(rest.data()),
                     static_cast<std::size_t>(end - rest.begin()));
}

Facts facts_of_mount(std::span<const std::byte> bytes, const watchq_mount_detail& detail) {
  Facts facts;
  facts.path = text_at(bytes, detail.mount_point);
  facts.root = text_at(bytes, detail.root).value_or("");
  facts.fs_type = text_at(bytes, detail.fs_type).value_or("");
  facts.source = text_at(bytes, detail.source).value_or("");
  facts.unique_mount = detail.mount;
  facts.unique_parent = detail.parent;
  facts.attributes = detail.attributes;
  facts.pid = detail.pid;
  return facts;
}

Facts facts_of_superblock(std::span<const std::byte> bytes,
                          const watchq_superblock_detail& detail) {
  Facts facts;
  facts.path = text_at(bytes, detail.mount_point);
  facts.fs_type = text_at(bytes, detail.fs_type).value_or("");
  facts.source = text_at(bytes, detail.source).value_or("");
  facts.device = std::to_string(detail.device_major) + ':' + std::to_string(detail.device_minor);
  facts.superblock = detail.sb_id;
  facts.unique_mount = detail.mount;
  facts.quota_type = detail.quota_type;
  facts.quota_id = detail.quota_id;
  return facts;
}

Facts facts_of_key(std::span<const std::byte> bytes, const watchq_key_detail& detail) {
  Facts facts;
  facts.pid = detail.pid;
  facts.key_type = text_at(bytes, detail.key_type).value_or("");
  facts.description = text_at(bytes, detail.description);
  // Without View nothing is said of it.
  if (!facts.key_type.empty()) facts.owner = detail.uid;
  if (detail.linked != 0) {
    facts.linked_type = text_at(bytes, detail.linked_type).value_or("");
    facts.linked_description = text_at(bytes, detail.linked_description);
  }
  return facts;
}

}  // namespace

Facts facts_of_detail(std::span<const std::byte> detail) {
  const auto header = fixed_part<watch_notification>(detail);
  if (!header || header->type != WATCHQ_TYPE_DETAIL) return {};
  if (header->subtype == WATCH_TYPE_MOUNT_NOTIFY) {
    if (const auto mount = fixed_part<watchq_mount_detail>(detail)) {
      return facts_of_mount(detail, *mount);
    }
  } else if (header->subtype == WATCH_TYPE_SB_NOTIFY) {
    if (const auto superblock = fixed_part<watchq_superblock_detail>(detail)) {
      return facts_of_superblock(detail, *superblock);
    }
  } else if (header->subtype == WATCH_TYPE_KEY_NOTIFY) {
    if (const auto key = fixed_part<watchq_key_detail>(detail)) return facts_of_key(detail, *key);
  }
  return {};
}

}  // namespace watchq
