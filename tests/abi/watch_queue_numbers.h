/* SPDX-License-Identifier: MIT
 *
 * Every number of <watchq/watch_queue.h>, written out. Included as C and as C++: the numbers are
 * those of the interface's description, and other languages hard-code them.
 */
#ifndef WATCHQ_TESTS_WATCH_QUEUE_NUMBERS_H
#define WATCHQ_TESTS_WATCH_QUEUE_NUMBERS_H

#include <stdio.h>
#include <string.h>
#include <watchq/watch_queue.h>

static int wrong;

static void check(const char* what, unsigned long long found, unsigned long long expected) {
  if (found == expected) return;
  printf("%s is %#llx, not %#llx\n", what, found, expected);
  ++wrong;
}

#define CHECK(expression, expected) check(#expression, expression, expected)
#define CHECK_FIELD(structure, field, offset, size)                                \
  do {                                                                             \
    check("offset of " #structure "." #field, offsetof(structure, field), offset); \
    check("size of " #structure "." #field, sizeof(example.field), size);          \
  } while (0)

static void check_calls(void) {
  CHECK(IOC_WATCH_QUEUE_SET_SIZE, 0x7301);
  CHECK(IOC_WATCH_QUEUE_SET_FILTER, 0x7302);
  CHECK(WATCHQ_IOC_MOUNT_NOTIFY, 0x40107310);
  CHECK(WATCHQ_IOC_SB_NOTIFY, 0x40107311);
  CHECK(WATCHQ_IOC_SB_WATCH, 0x40207311);
  CHECK(WATCHQ_IOC_KEY_NOTIFY, 0x40187312);
  CHECK(WATCHQ_IOC_KEYRING_NOTIFY, 0x40307312);
  CHECK(WATCHQ_MAX_KEY_LINKS, 65536);
  CHECK(WATCHQ_SPACE_FREE_BYTES, 1);
  CHECK(WATCHQ_SPACE_FREE_SHARE, 2);
  CHECK(WATCHQ_SPACE_FREE_INODES, 3);
  CHECK(WATCHQ_SPACE_FREE_INODES_SHARE, 4);
  CHECK(WATCHQ_IOC_INJECT, 0x42007318);
  CHECK(WATCHQ_IOC_SET_FILTER, 0x42c87319);
  CHECK(WATCHQ_IOC_WAKE_HEAD, 0x731a);
  CHECK(WATCHQ_DETAIL, 0x1);
  CHECK(WATCHQ_CHILDREN, 0x2);
  CHECK(WATCHQ_ALL, 0x4);
  CHECK(WATCHQ_SNAPSHOT, 0x8);
}

static void check_types(void) {
  CHECK(WATCH_TYPE_META, 0);
  CHECK(WATCH_TYPE_MOUNT_NOTIFY, 1);
  CHECK(WATCH_TYPE_SB_NOTIFY, 2);
  CHECK(WATCH_TYPE_KEY_NOTIFY, 3);
  CHECK(WATCH_TYPE_BLOCK_NOTIFY, 4);
  CHECK(WATCHQ_TYPE_DETAIL, 0x800000);
  CHECK(WATCHQ_TYPE_SNAPSHOT, 0x800001);
  CHECK(WATCHQ_TYPE_LOST, 0x800002);
  CHECK(WATCHQ_TYPE_SPACE, 0x800003);
  CHECK(WATCHQ_SPACE_BLOCKS, 0);
  CHECK(WATCHQ_SPACE_INODES, 1);
  CHECK(WATCHQ_SPACE_IS_BELOW, 0x00010000);
  CHECK(WATCH_META_SKIP_NOTIFICATION, 0);
  CHECK(WATCH_META_REMOVAL_NOTIFICATION, 1);
}

static void check_subtypes(void) {
  CHECK(NOTIFY_MOUNT_NEW_MOUNT, 0);
  CHECK(NOTIFY_MOUNT_UNMOUNT, 1);
  CHECK(NOTIFY_MOUNT_EXPIRY, 2);
  CHECK(NOTIFY_MOUNT_READONLY, 3);
  CHECK(NOTIFY_MOUNT_SETATTR, 4);
  CHECK(NOTIFY_MOUNT_MOVE_FROM, 5);
  CHECK(NOTIFY_MOUNT_MOVE_TO, 6);
  CHECK(NOTIFY_SUPERBLOCK_READONLY, 0);
  CHECK(NOTIFY_SUPERBLOCK_ERROR, 1);
  CHECK(NOTIFY_SUPERBLOCK_EDQUOT, 2);
  CHECK(NOTIFY_SUPERBLOCK_NETWORK, 3);
  CHECK(NOTIFY_KEY_INSTANTIATED, 0);
  CHECK(NOTIFY_KEY_UPDATED, 1);
  CHECK(NOTIFY_KEY_LINKED, 2);
  CHECK(NOTIFY_KEY_UNLINKED, 3);
  CHECK(NOTIFY_KEY_CLEARED, 4);
  CHECK(NOTIFY_KEY_REVOKED, 5);
  CHECK(NOTIFY_KEY_INVALIDATED, 6);
  CHECK(NOTIFY_KEY_SETATTR, 7);
}

static void check_info(void) {
  CHECK(WATCH_INFO_OVERRUN, 0x00000001);
  CHECK(WATCH_INFO_ENOMEM, 0x00000002);
  CHECK(WATCH_INFO_RECURSIVE, 0x00000004);
  CHECK(WATCH_INFO_LENGTH, 0x000001f8);
  CHECK(WATCH_LENGTH_SHIFT, 3);
  CHECK(WATCH_INFO_IN_SUBTREE, 0x00000200);
  CHECK(WATCH_INFO_TYPE_FLAGS, 0x00ff0000);
  CHECK(WATCH_INFO_FLAG_0, 0x00010000);
  CHECK(WATCH_INFO_FLAG_1, 0x00020000);
  CHECK(WATCH_INFO_FLAG_2, 0x00040000);
  CHECK(WATCH_INFO_FLAG_3, 0x00080000);
  CHECK(WATCH_INFO_FLAG_4, 0x00100000);
  CHECK(WATCH_INFO_FLAG_5, 0x00200000);
  CHECK(WATCH_INFO_FLAG_6, 0x00400000);
  CHECK(WATCH_INFO_FLAG_7, 0x00800000);
  CHECK(WATCH_INFO_ID, 0xff000000);
  CHECK(WATCH_INFO_ID__SHIFT, 24);
  CHECK(NOTIFY_MOUNT_IN_SUBTREE, 0x00000200);
  CHECK(NOTIFY_MOUNT_IS_RECURSIVE, 0x00000004);
  CHECK(NOTIFY_MOUNT_IS_SUBMOUNT, 0x00010000);
  CHECK(NOTIFY_MOUNT_IS_NOW_RO, 0x00010000);
  CHECK(NOTIFY_SUPERBLOCK_IS_NOW_RO, 0x00010000);
  CHECK(NOTIFY_SUPERBLOCK_IS_DOWN, 0x00010000);
}

/* Bits 0..23 of a record's first word are its type, bits 24..31 its subtype, on any machine. */
static void check_header_bits(void) {
  struct watch_notification header;
  uint32_t words[2];

  memset(&header, 0, sizeof header);
  header.type = 0x123456;
  header.subtype = 0x7b;
  header.info = 0x89abcdef;
  memcpy(words, &header, sizeof words);
  CHECK(words[0], 0x7b123456);
  CHECK(words[1], 0x89abcdef);
}

static void check_records(void) {
  CHECK(sizeof(struct watch_notification), 8);
  {
    struct mount_notification example;
    CHECK(sizeof example, 16);
    CHECK_FIELD(struct mount_notification, watch, 0, 8);
    CHECK_FIELD(struct mount_notification, triggered_on, 8, 4);
    CHECK_FIELD(struct mount_notification, changed_mount, 12, 4);
  }
  {
    struct superblock_notification example;
    CHECK(sizeof example, 16);
    CHECK_FIELD(struct superblock_notification, watch, 0, 8);
    CHECK_FIELD(struct superblock_notification, sb_id, 8, 8);
  }
  {
    struct superblock_error_notification example;
    CHECK(sizeof example, 24);
    CHECK_FIELD(struct superblock_error_notification, s, 0, 16);
    CHECK_FIELD(struct superblock_error_notification, error_number, 16, 4);
    CHECK_FIELD(struct superblock_error_notification, error_cookie, 20, 4);
  }
  {
    struct key_notification example;
    CHECK(sizeof example, 16);
    CHECK_FIELD(struct key_notification, watch, 0, 8);
    CHECK_FIELD(struct key_notification, key_id, 8, 4);
    CHECK_FIELD(struct key_notification, aux, 12, 4);
  }
  {
    struct watchq_superblock_detail example;
    CHECK(sizeof example, 48);
    CHECK_FIELD(struct watchq_superblock_detail, watch, 0, 8);
    CHECK_FIELD(struct watchq_superblock_detail, sb_id, 8, 8);
    CHECK_FIELD(struct watchq_superblock_detail, mount, 16, 8);
    CHECK_FIELD(struct watchq_superblock_detail, device_major, 24, 4);
    CHECK_FIELD(struct watchq_superblock_detail, device_minor, 28, 4);
    CHECK_FIELD(struct watchq_superblock_detail, quota_type, 32, 4);
    CHECK_FIELD(struct watchq_superblock_detail, quota_id, 36, 4);
    CHECK_FIELD(struct watchq_superblock_detail, mount_point, 40, 2);
    CHECK_FIELD(struct watchq_superblock_detail, fs_type, 42, 2);
    CHECK_FIELD(struct watchq_superblock_detail, source, 44, 2);
    CHECK_FIELD(struct watchq_superblock_detail, reserved, 46, 2);
  }
  {
    struct watchq_lost_notification example;
    CHECK(sizeof example, 16);
    CHECK_FIELD(struct watchq_lost_notification, watch, 0, 8);
    CHECK_FIELD(struct watchq_lost_notification, lost, 8, 8);
  }
  {
    struct watchq_space_notification example;
    CHECK(sizeof example, 32);
    CHECK_FIELD(struct watchq_space_notification, watch, 0, 8);
    CHECK_FIELD(struct watchq_space_notification, sb_id, 8, 8);
    CHECK_FIELD(struct watchq_space_notification, free, 16, 8);
    CHECK_FIELD(struct watchq_space_notification, total, 24, 8);
  }
}

static void check_ring_and_filter(void) {
  {
    struct watch_queue_buffer example;
    CHECK(sizeof example, 24);
    CHECK_FIELD(struct watch_queue_buffer, meta.watch, 0, 8);
    CHECK_FIELD(struct watch_queue_buffer, meta.head, 8, 4);
    CHECK_FIELD(struct watch_queue_buffer, meta.tail, 12, 4);
    CHECK_FIELD(struct watch_queue_buffer, meta.mask, 16, 4);
    CHECK_FIELD(struct watch_queue_buffer, meta.__reserved, 20, 4);
    CHECK(offsetof(struct watch_queue_buffer, slots), 0);
    CHECK(sizeof example.slots[0], 8);
  }
  {
    struct watch_notification_type_filter example;
    CHECK(sizeof example, 44);
    CHECK_FIELD(struct watch_notification_type_filter, type, 0, 4);
    CHECK_FIELD(struct watch_notification_type_filter, info_filter, 4, 4);
    CHECK_FIELD(struct watch_notification_type_filter, info_mask, 8, 4);
    CHECK_FIELD(struct watch_notification_type_filter, subtype_filter, 12, 32);
  }
  {
    struct watch_notification_filter example;
    CHECK(sizeof example, 8);
    CHECK_FIELD(struct watch_notification_filter, nr_filters, 0, 4);
    CHECK_FIELD(struct watch_notification_filter, __reserved, 4, 4);
    CHECK(offsetof(struct watch_notification_filter, filters), 8);
  }
}

static void check_watches(void) {
  {
    struct watchq_watch example;
    CHECK(sizeof example, 16);
    CHECK_FIELD(struct watchq_watch, size, 0, 4);
    CHECK_FIELD(struct watchq_watch, object, 4, 4);
    CHECK_FIELD(struct watchq_watch, tag, 8, 4);
    CHECK_FIELD(struct watchq_watch, flags, 12, 4);
  }
  {
    struct watchq_sb_watch example;
    CHECK(sizeof example, 32);
    CHECK_FIELD(struct watchq_sb_watch, watch, 0, 16);
    CHECK_FIELD(struct watchq_sb_watch, threshold, 16, 8);
    CHECK_FIELD(struct watchq_sb_watch, threshold_kind, 24, 4);
    CHECK_FIELD(struct watchq_sb_watch, reserved, 28, 4);
  }
  {
    struct watchq_key_watch example;
    CHECK(sizeof example, 24);
    CHECK_FIELD(struct watchq_key_watch, size, 0, 4);
    CHECK_FIELD(struct watchq_key_watch, key, 4, 4);
    CHECK_FIELD(struct watchq_key_watch, tag, 8, 4);
    CHECK_FIELD(struct watchq_key_watch, flags, 12, 4);
    CHECK_FIELD(struct watchq_key_watch, view, 16, 4);
    CHECK_FIELD(struct watchq_key_watch, reserved, 20, 4);
  }
  {
    struct watchq_keyring_watch example;
    CHECK(sizeof example, 48);
    CHECK_FIELD(struct watchq_keyring_watch, watch, 0, 24);
    CHECK_FIELD(struct watchq_keyring_watch, nr_links, 24, 4);
    CHECK_FIELD(struct watchq_keyring_watch, nr_keyrings, 28, 4);
    CHECK_FIELD(struct watchq_keyring_watch, links, 32, 8);
    CHECK_FIELD(struct watchq_keyring_watch, keyrings, 40, 8);
  }
  {
    struct watchq_key_link example;
    CHECK(sizeof example, 8);
    CHECK_FIELD(struct watchq_key_link, keyring, 0, 4);
    CHECK_FIELD(struct watchq_key_link, key, 4, 4);
  }
  {
    struct watchq_key_detail example;
    CHECK(sizeof example, 40);
    CHECK_FIELD(struct watchq_key_detail, pid, 8, 4);
    CHECK_FIELD(struct watchq_key_detail, uid, 12, 4);
    CHECK_FIELD(struct watchq_key_detail, gid, 16, 4);
    CHECK_FIELD(struct watchq_key_detail, permissions, 20, 4);
    CHECK_FIELD(struct watchq_key_detail, key_type, 24, 2);
    CHECK_FIELD(struct watchq_key_detail, description, 26, 2);
    CHECK_FIELD(struct watchq_key_detail, linked, 28, 4);
    CHECK_FIELD(struct watchq_key_detail, linked_type, 32, 2);
    CHECK_FIELD(struct watchq_key_detail, linked_description, 34, 2);
    CHECK_FIELD(struct watchq_key_detail, reserved, 36, 4);
  }
  {
    struct watchq_injection example;
    CHECK(sizeof example, 512);
    CHECK_FIELD(struct watchq_injection, size, 0, 4);
    CHECK_FIELD(struct watchq_injection, length, 4, 4);
    CHECK_FIELD(struct watchq_injection, record, 8, 504);
  }
  {
    struct watchq_filter example;
    CHECK(sizeof example, 712);
    CHECK_FIELD(struct watchq_filter, size, 0, 4);
    CHECK_FIELD(struct watchq_filter, nr_filters, 4, 4);
    CHECK_FIELD(struct watchq_filter, filters, 8, 704);
  }
}

static int check_all_numbers(void) {
  check_calls();
  check_types();
  check_subtypes();
  check_info();
  check_header_bits();
  check_records();
  check_ring_and_filter();
  check_watches();
  return wrong;
}

#endif /* WATCHQ_TESTS_WATCH_QUEUE_NUMBERS_H */
