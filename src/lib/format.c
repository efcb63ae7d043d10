/* SPDX-License-Identifier: MIT
 * A record as a line of text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <watchq/watchq.h>

#include "names.h"

/* A copy of the start of a record: aligned, and out of the other side's reach. */
union record {
  struct watch_notification watch;
  struct mount_notification mount;
  struct superblock_notification sb;
  struct superblock_error_notification sb_error;
  struct key_notification key;
  struct watchq_lost_notification lost;
  struct watchq_space_notification space;
};

struct line {
  char* text;
  size_t size;
  size_t length; /* of the whole text, also where it was cut */
};

__attribute__((format(printf, 2, 3))) static void append(struct line* line, const char* format,
                                                         ...) {
  const size_t used = line->length < line->size ? line->length : line->size;
  va_list arguments;
  int length;

  va_start(arguments, format);
  length =
      vsnprintf(line->size > used ? line->text + used : NULL, line->size - used, format, arguments);
  va_end(arguments);
  if (length > 0) line->length += (size_t)length;
}

static void append_error(struct line* line, uint32_t error) {
  const char* name = strerrorname_np((int)error);

  if (name != NULL) {
    append(line, ", %s", name);
  } else {
    append(line, ", errno %" PRIu32, error);
  }
}

/* The daemon gives 0 for a mount that was gone before its ID could be told. */
static void append_mount(struct line* line, const char* before, uint32_t id) {
  if (id != 0) {
    append(line, "%s mount %" PRIu32, before, id);
  } else {
    append(line, "%s unknown mount", before);
  }
}

static void describe_mount(struct line* line, const struct mount_notification* mount) {
  const uint32_t subtype = mount->watch.subtype;

  if (subtype == NOTIFY_MOUNT_READONLY || subtype == NOTIFY_MOUNT_SETATTR) {
    append_mount(line, ":", mount->triggered_on);
  } else {
    append_mount(line, ":", mount->changed_mount);
    append_mount(line, " on", mount->triggered_on);
  }
}

static void describe_key(struct line* line, const struct key_notification* key) {
  switch (key->watch.subtype) {
    case NOTIFY_KEY_LINKED:
    case NOTIFY_KEY_UNLINKED:
      append(line, ": key %" PRIu32 ", keyring %" PRIu32, key->aux, key->key_id);
      break;
    case NOTIFY_KEY_INSTANTIATED:
    case NOTIFY_KEY_REVOKED:
      append(line, ": key %" PRIu32, key->key_id);
      if (key->aux != 0) append_error(line, key->aux);
      break;
    default:
      append(line, ": key %" PRIu32, key->key_id);
  }
}

static void describe_superblock(struct line* line, const union record* record, size_t length) {
  append(line, ": superblock %" PRIu64, record->sb.sb_id);
  if (record->watch.subtype == NOTIFY_SUPERBLOCK_ERROR && length >= sizeof record->sb_error) {
    append_error(line, record->sb_error.error_number);
    append(line, ", cookie %" PRIu32, record->sb_error.error_cookie);
  }
}

static void describe_space(struct line* line, const struct watchq_space_notification* space) {
  append(line, ": superblock %" PRIu64 ", %" PRIu64 " of %" PRIu64 " %s", space->sb_id, space->free,
         space->total, space->watch.subtype == WATCHQ_SPACE_BLOCKS ? "bytes" : "inodes");
}

static void describe_lost(struct line* line, const struct watchq_lost_notification* lost) {
  if (lost->lost == 0) {
    append(line, "records lost, nobody knows how many");
  } else {
    append(line, "%" PRIu64 " records lost", lost->lost);
  }
}

/* What a record of a type that has subtypes is about. */
static void describe_object(struct line* line, const union record* record, size_t length) {
  switch (record->watch.type) {
    case WATCH_TYPE_MOUNT_NOTIFY:
      describe_mount(line, &record->mount);
      break;
    case WATCH_TYPE_SB_NOTIFY:
      describe_superblock(line, record, length);
      break;
    case WATCHQ_TYPE_SPACE:
      if (length >= sizeof record->space) describe_space(line, &record->space);
      break;
    case WATCH_TYPE_KEY_NOTIFY:
      describe_key(line, &record->key);
      break;
    default:
      break;
  }
}

/* What happened to what. Returns 0 when the record is of no known kind or too short for its kind.
 */
static int describe(struct line* line, const union record* record, size_t length) {
  const struct event_names* names = watchq_event_names(record->watch.type, record->watch.subtype);
  const int flagged = (record->watch.info & WATCH_INFO_FLAG_0) != 0;

  if (record->watch.type == WATCHQ_TYPE_SNAPSHOT) {
    append(line, "snapshot complete");
    return 1;
  }
  if (record->watch.type == WATCHQ_TYPE_LOST && length >= sizeof record->lost) {
    describe_lost(line, &record->lost);
    return 1;
  }
  /* The bodies of the documented types are 8 bytes at least. */
  if (names == NULL || (record->watch.type != WATCH_TYPE_META && length < 16)) return 0;
  append(line, "%s", flagged && names->flagged != NULL ? names->flagged : names->words);
  describe_object(line, record, length);
  return 1;
}

// NOLINTNEXTLINE(readability-non-const-parameter): it is written to, through the line below
size_t watchq_record_format(const struct watch_notification* record, size_t length, char* text,
                            size_t size) {
  struct line line = {.text = text, .size = size};
  union record copy;

  memset(&copy, 0, sizeof copy);
  memcpy(&copy, record, length < sizeof copy ? length : sizeof copy);
  if (!describe(&line, &copy, length)) {
    append(&line, "type 0x%" PRIx32 ", subtype %" PRIu32 ", %zu bytes", (uint32_t)copy.watch.type,
           (uint32_t)copy.watch.subtype, length);
  }
  append(&line, ", tag %u", watchq_record_tag(&copy.watch));
  if ((copy.watch.info & WATCH_INFO_IN_SUBTREE) != 0) append(&line, ", below");
  if ((copy.watch.info & WATCH_INFO_RECURSIVE) != 0) append(&line, ", recursively");
  if (watchq_record_lost_before(&copy.watch)) append(&line, ", after a loss");
  return line.length;
}
