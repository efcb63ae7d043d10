/* SPDX-License-Identifier: MIT
 * The names of types and subtypes, and the words for them: here and nowhere else. */
#include "names.h"

#include <watchq/watchq.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct event_names meta_events[] = {
    [WATCH_META_SKIP_NOTIFICATION] = {"skip", "padding", NULL},
    [WATCH_META_REMOVAL_NOTIFICATION] = {"removal", "watch removed, its object is gone", NULL},
};

static const struct event_names mount_events[] = {
    [NOTIFY_MOUNT_NEW_MOUNT] = {"new_mount", "mounted", "mounted automatically"},
    [NOTIFY_MOUNT_UNMOUNT] = {"unmount", "unmounted", NULL},
    [NOTIFY_MOUNT_EXPIRY] = {"expiry", "expired", NULL},
    [NOTIFY_MOUNT_READONLY] = {"readonly", "now read-write", "now read-only"},
    [NOTIFY_MOUNT_SETATTR] = {"setattr", "attributes changed", NULL},
    [NOTIFY_MOUNT_MOVE_FROM] = {"move_from", "moved away", NULL},
    [NOTIFY_MOUNT_MOVE_TO] = {"move_to", "moved here", NULL},
};

static const struct event_names sb_events[] = {
    [NOTIFY_SUPERBLOCK_READONLY] = {"readonly", "now read-write", "now read-only"},
    [NOTIFY_SUPERBLOCK_ERROR] = {"error", "error", NULL},
    [NOTIFY_SUPERBLOCK_EDQUOT] = {"edquot", "quota limit hit", NULL},
    [NOTIFY_SUPERBLOCK_NETWORK] = {"network", "server answers", "server does not answer"},
};

static const struct event_names key_events[] = {
    [NOTIFY_KEY_INSTANTIATED] = {"instantiated", "instantiated", NULL},
    [NOTIFY_KEY_UPDATED] = {"updated", "updated", NULL},
    [NOTIFY_KEY_LINKED] = {"linked", "linked", NULL},
    [NOTIFY_KEY_UNLINKED] = {"unlinked", "unlinked", NULL},
    [NOTIFY_KEY_CLEARED] = {"cleared", "cleared", NULL},
    [NOTIFY_KEY_REVOKED] = {"revoked", "revoked", NULL},
    [NOTIFY_KEY_INVALIDATED] = {"invalidated", "invalidated", NULL},
    [NOTIFY_KEY_SETATTR] = {"setattr", "attributes changed", NULL},
};

static const struct event_names space_events[] = {
    [WATCHQ_SPACE_BLOCKS] = {"blocks", "enough space free again", "little space free"},
    [WATCHQ_SPACE_INODES] = {"inodes", "enough inodes free again", "few inodes free"},
};

static const struct {
  uint32_t type;
  const char* name;
  const struct event_names* events;
  size_t count;
} types[] = {
    {WATCH_TYPE_META, "meta", meta_events, COUNT_OF(meta_events)},
    {WATCH_TYPE_MOUNT_NOTIFY, "mount", mount_events, COUNT_OF(mount_events)},
    {WATCH_TYPE_SB_NOTIFY, "superblock", sb_events, COUNT_OF(sb_events)},
    {WATCH_TYPE_KEY_NOTIFY, "key", key_events, COUNT_OF(key_events)},
    {WATCH_TYPE_BLOCK_NOTIFY, "block", NULL, 0},
    {WATCHQ_TYPE_DETAIL, "detail", NULL, 0},
    {WATCHQ_TYPE_SNAPSHOT, "snapshot", NULL, 0},
    {WATCHQ_TYPE_LOST, "lost", NULL, 0},
    {WATCHQ_TYPE_SPACE, "space", space_events, COUNT_OF(space_events)},
};

const char* watchq_type_name(uint32_t type) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    if (types[i].type == type) return types[i].name;
  }
  return NULL;
}

const struct event_names* watchq_event_names(uint32_t type, uint32_t subtype) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    if (types[i].type == type) {
      return subtype < types[i].count ? &types[i].events[subtype] : NULL;
    }
  }
  return NULL;
}

const char* watchq_subtype_name(uint32_t type, uint32_t subtype) {
  const struct event_names* names = watchq_event_names(type, subtype);

  return names == NULL ? NULL : names->name;
}
