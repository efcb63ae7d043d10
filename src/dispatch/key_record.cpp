// SPDX-License-Identifier: MIT
#include "dispatch/key_record.h"

#include "dispatch/record.h"

namespace watchq {
namespace {

key_notification_subtype subtype_of(KeyEventKind kind) {
  switch (kind) {
    case KeyEventKind::instantiated:
      return NOTIFY_KEY_INSTANTIATED;
    case KeyEventKind::updated:
      return NOTIFY_KEY_UPDATED;
    case KeyEventKind::linked:
      return NOTIFY_KEY_LINKED;
    case KeyEventKind::unlinked:
      return NOTIFY_KEY_UNLINKED;
    case KeyEventKind::cleared:
      return NOTIFY_KEY_CLEARED;
    case KeyEventKind::revoked:
      return NOTIFY_KEY_REVOKED;
    case KeyEventKind::invalidated:
      return NOTIFY_KEY_INVALIDATED;
    case KeyEventKind::setattr:
      return NOTIFY_KEY_SETATTR;
  }
  __builtin_unreachable();
}

}  // namespace

key_notification key_record(const KeyEvent& event, std::uint8_t tag, bool below) {
  key_notification record{};
  record.watch.type = WATCH_TYPE_KEY_NOTIFY;
  record.watch.subtype = static_cast<std::uint8_t>(subtype_of(event.kind));
  record.watch.info = info_of(sizeof record, tag);
  if (below) record.watch.info |= WATCH_INFO_IN_SUBTREE;
  record.key_id = static_cast<std::uint32_t>(event.key);
  record.aux = event.aux;
  return record;
}

KeyDetail::KeyDetail(const KeyEvent& event, const KeyDescription* key, const KeyDescription* linked,
                     bool with_pid, std::uint8_t tag) {
  // Room for both descriptions, of which each may be 4 KiB.
  constexpr std::size_t kShort = 64;
  constexpr std::size_t kLong = (kMaxRecordBytes - sizeof(watchq_key_detail) - 2 * kShort) / 2;
  watchq_key_detail detail{};
  detail.watch.subtype = WATCH_TYPE_KEY_NOTIFY;
  detail.pid = with_pid ? event.pid : 0;
  if (key != nullptr) {
    detail.uid = key->user;
    detail.gid = key->group;
    detail.permissions = key->permissions;
    detail.key_type = bytes_.append(key->type, kShort);
    detail.description = bytes_.append(key->description, kLong);
  }
  if (linked != nullptr) {
    detail.linked = static_cast<std::int32_t>(event.aux);
    detail.linked_type = bytes_.append(linked->type, kShort);
    detail.linked_description = bytes_.append(linked->description, kLong);
  }
  bytes_.finish(detail, tag);
}

}  // namespace watchq
