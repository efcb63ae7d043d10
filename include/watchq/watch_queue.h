/* SPDX-License-Identifier: MIT
 *
 * The record format, the ring and the calls of a watch queue.
 *
 * This header stands alone: it needs nothing of watchq's library and compiles as C11 and as C++20.
 * The numbers of the documented queue are those of the July 2018 patch set "Mount, Filesystem and
 * Keyrings notifications" (/dev/watch_queue); everything named watchq_ or WATCHQ_ was added by
 * watchq.
 *
 * All integers are in the machine's byte order. Where a word is described by bit numbers, bit 0 is
 * its least significant bit, whatever the byte order: the bit-fields of struct watch_notification
 * are declared so that this also holds on big-endian machines.
 */

#if defined(_LINUX_WATCH_QUEUE_H) || defined(_UAPI_LINUX_WATCH_QUEUE_H)
#error \
    "<watchq/watch_queue.h> and <linux/watch_queue.h> use the same names for other numbers; \
include only one of them in a source file"
#endif

#ifndef WATCHQ_WATCH_QUEUE_H
#define WATCHQ_WATCH_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#if defined(__cplusplus)
#define WATCHQ_ASSERT_LAYOUT(condition) static_assert(condition, #condition)
#else
#define WATCHQ_ASSERT_LAYOUT(condition) _Static_assert(condition, #condition)
#endif

/* ---- calls of the documented queue ------------------------------------------------------------
 */

/* Allocates the ring of this open file, once. The argument is a number of pages, passed by value.
 */
#define IOC_WATCH_QUEUE_SET_SIZE _IO('s', 0x01)
/* Replaces the filter. The argument points to a struct watch_notification_filter; NULL removes it.
 */
#define IOC_WATCH_QUEUE_SET_FILTER _IO('s', 0x02)

/* ---- records ----------------------------------------------------------------------------------
 */

enum watch_notification_type {
  WATCH_TYPE_META = 0,         /* special records, never filtered */
  WATCH_TYPE_MOUNT_NOTIFY = 1, /* struct mount_notification */
  WATCH_TYPE_SB_NOTIFY = 2,    /* struct superblock_notification */
  WATCH_TYPE_KEY_NOTIFY = 3,   /* struct key_notification */
  WATCH_TYPE_BLOCK_NOTIFY = 4, /* reserved: no source exists yet */

  /* watchq's own types */
  WATCHQ_TYPE_DETAIL = 0x800000,   /* explains the record before it */
  WATCHQ_TYPE_SNAPSHOT = 0x800001, /* the snapshot of the watch with this tag is complete */
  WATCHQ_TYPE_LOST = 0x800002,     /* struct watchq_lost_notification */
  WATCHQ_TYPE_SPACE = 0x800003     /* free space crossed the watcher's threshold */
};

enum watch_meta_notification_subtype {
  WATCH_META_SKIP_NOTIFICATION = 0,   /* padding: step over it */
  WATCH_META_REMOVAL_NOTIFICATION = 1 /* the watched object is gone and so is the watch */
};

/* The header of each record: one slot of the ring. */
struct watch_notification {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  uint32_t subtype : 8;
  uint32_t type : 24;
#else
  uint32_t type : 24;   /* enum watch_notification_type: bits 0..23 */
  uint32_t subtype : 8; /* kind of event within the type: bits 24..31 */
#endif
  uint32_t info; /* WATCH_INFO_* */
};

#define WATCH_INFO_OVERRUN 0x00000001u    /* records before this one were lost: ring full */
#define WATCH_INFO_ENOMEM 0x00000002u     /* records before this one were lost: no memory */
#define WATCH_INFO_RECURSIVE 0x00000004u  /* the change was applied recursively */
#define WATCH_INFO_LENGTH 0x000001f8u     /* the masked value is the record's length in bytes */
#define WATCH_INFO_IN_SUBTREE 0x00000200u /* the change was below the watched point */
#define WATCH_INFO_TYPE_FLAGS 0x00ff0000u /* eight flags of the type */
#define WATCH_INFO_FLAG_0 0x00010000u
#define WATCH_INFO_FLAG_1 0x00020000u
#define WATCH_INFO_FLAG_2 0x00040000u
#define WATCH_INFO_FLAG_3 0x00080000u
#define WATCH_INFO_FLAG_4 0x00100000u
#define WATCH_INFO_FLAG_5 0x00200000u
#define WATCH_INFO_FLAG_6 0x00400000u
#define WATCH_INFO_FLAG_7 0x00800000u
#define WATCH_INFO_ID 0xff000000u /* the tag given when the watch was set */
#define WATCH_INFO_ID__SHIFT 24
#define WATCH_LENGTH_SHIFT 3 /* (info & WATCH_INFO_LENGTH) >> this: the length in slots, 1..63 */

/* Mounts. IDs are those of /proc/PID/mountinfo, column 1. */
enum mount_notification_subtype {
  NOTIFY_MOUNT_NEW_MOUNT = 0, /* FLAG_0: a submount made by the kernel or an automounter */
  NOTIFY_MOUNT_UNMOUNT = 1,
  NOTIFY_MOUNT_EXPIRY = 2,
  NOTIFY_MOUNT_READONLY = 3, /* FLAG_0: now read-only */
  NOTIFY_MOUNT_SETATTR = 4,
  NOTIFY_MOUNT_MOVE_FROM = 5,
  NOTIFY_MOUNT_MOVE_TO = 6
};

struct mount_notification {
  struct watch_notification watch; /* WATCH_TYPE_MOUNT_NOTIFY */
  uint32_t triggered_on;           /* the mount the change is accounted to */
  uint32_t changed_mount;          /* the mount added, removed or moved, or 0 */
};

#define NOTIFY_MOUNT_IN_SUBTREE WATCH_INFO_IN_SUBTREE
#define NOTIFY_MOUNT_IS_RECURSIVE WATCH_INFO_RECURSIVE
#define NOTIFY_MOUNT_IS_SUBMOUNT WATCH_INFO_FLAG_0 /* with NEW_MOUNT */
#define NOTIFY_MOUNT_IS_NOW_RO WATCH_INFO_FLAG_0   /* with READONLY */

/* Superblocks. */
enum superblock_notification_type {
  NOTIFY_SUPERBLOCK_READONLY = 0, /* FLAG_0: now read-only */
  NOTIFY_SUPERBLOCK_ERROR = 1,    /* struct superblock_error_notification */
  NOTIFY_SUPERBLOCK_EDQUOT = 2,
  NOTIFY_SUPERBLOCK_NETWORK = 3 /* FLAG_0: the server does not answer */
};

struct superblock_notification {
  struct watch_notification watch; /* WATCH_TYPE_SB_NOTIFY */
  uint64_t sb_id;
};

struct superblock_error_notification {
  struct superblock_notification s; /* subtype NOTIFY_SUPERBLOCK_ERROR */
  uint32_t error_number;            /* positive errno */
  uint32_t error_cookie;
};

#define NOTIFY_SUPERBLOCK_IS_NOW_RO WATCH_INFO_FLAG_0 /* with READONLY */
#define NOTIFY_SUPERBLOCK_IS_DOWN WATCH_INFO_FLAG_0   /* with NETWORK */

/* Keys. */
enum key_notification_subtype {
  NOTIFY_KEY_INSTANTIATED = 0, /* aux: 0, or the error of a negative key */
  NOTIFY_KEY_UPDATED = 1,
  NOTIFY_KEY_LINKED = 2,   /* aux: the key added to the watched keyring */
  NOTIFY_KEY_UNLINKED = 3, /* aux: the key removed from it */
  NOTIFY_KEY_CLEARED = 4,
  NOTIFY_KEY_REVOKED = 5, /* aux: 0, or EKEYEXPIRED when its time is over */
  NOTIFY_KEY_INVALIDATED = 6,
  NOTIFY_KEY_SETATTR = 7
};

struct key_notification {
  struct watch_notification watch; /* WATCH_TYPE_KEY_NOTIFY */
  uint32_t key_id;
  uint32_t aux;
};

/* Explains the mount record before it, for watches with WATCHQ_DETAIL: type WATCHQ_TYPE_DETAIL,
 * subtype WATCH_TYPE_MOUNT_NOTIFY, 40 bytes and then text, to the length in `info`. The four
 * offsets count bytes from the start of this record to a NUL-terminated string; 0: not known.
 * FLAG_0: text that did not fit was cut. */
struct watchq_mount_detail {
  struct watch_notification watch;
  uint64_t mount;       /* unique ID (statmount(2)) of the mount that changed; 0: not known */
  uint64_t parent;      /* unique ID of the mount it is mounted on */
  int32_t pid;          /* the process that did it, in watchqd's pid namespace; 0: not known */
  uint32_t attributes;  /* MOUNT_ATTR_* of <linux/mount.h> */
  uint16_t mount_point; /* path from the watcher's root */
  uint16_t root;        /* what of the filesystem is mounted */
  uint16_t fs_type;
  uint16_t source;
};

/* Explains the superblock record before it, likewise: subtype WATCH_TYPE_SB_NOTIFY, 48 bytes and
 * then text. */
struct watchq_superblock_detail {
  struct watch_notification watch;
  uint64_t sb_id;
  uint64_t mount;        /* unique ID of a mount of it that the watcher sees; 0: none is known */
  uint32_t device_major; /* as in /proc/PID/mountinfo */
  uint32_t device_minor;
  uint32_t quota_type;  /* of EDQUOT: whose limit, 0 a user's, 1 a group's, 2 a project's */
  uint32_t quota_id;    /* of EDQUOT: the user, group or project */
  uint16_t mount_point; /* of that mount: path from the watcher's root */
  uint16_t fs_type;
  uint16_t source;
  uint16_t reserved; /* 0 */
};

/* Explains the key record before it, likewise: subtype WATCH_TYPE_KEY_NOTIFY, 40 bytes and then
 * text. What the watcher may not view is 0. */
struct watchq_key_detail {
  struct watch_notification watch;
  int32_t pid;          /* as in watchq_mount_detail */
  uint32_t uid;         /* the key's owner, in watchqd's user namespace */
  uint32_t gid;         /* its group */
  uint32_t permissions; /* as keyctl_setperm(3) has them */
  uint16_t key_type;
  uint16_t description;
  int32_t linked; /* of LINKED and UNLINKED: the key of which the next two are; else 0 */
  uint16_t linked_type;
  uint16_t linked_description;
  uint32_t reserved; /* 0 */
};

#define WATCHQ_DETAIL_IS_CUT WATCH_INFO_FLAG_0

/* How many records were dropped before the record that carries WATCH_INFO_OVERRUN, which this one
 * follows. A record and its detail count as one. */
struct watchq_lost_notification {
  struct watch_notification watch; /* WATCHQ_TYPE_LOST */
  uint64_t lost;
};

/* Free space or inodes of a superblock have crossed the watch's threshold. */
enum watchq_space_subtype {
  WATCHQ_SPACE_BLOCKS = 0, /* free and total count bytes */
  WATCHQ_SPACE_INODES = 1  /* free and total count inodes */
};

struct watchq_space_notification {
  struct watch_notification watch; /* WATCHQ_TYPE_SPACE; FLAG_0: now below */
  uint64_t sb_id;
  uint64_t free; /* for users without privileges */
  uint64_t total;
};

#define WATCHQ_SPACE_IS_BELOW WATCH_INFO_FLAG_0

/* Flexible arrays and unnamed unions are GNU extensions in C++. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

/* ---- the ring ---------------------------------------------------------------------------------
 */

/* The mapping is an array of 8-byte slots whose first three hold this.
 *
 * head and tail count slots, are never masked when stored and wrap at 2^32: slots[index & mask] is
 * the record there, head == tail is an empty ring, both start at 3. The producer publishes head
 * with a release store, which pairs with the consumer's acquire load; tail likewise the other way.
 */
struct watch_queue_buffer {
  union {
    struct {
      struct watch_notification watch; /* skip record that covers these 3 slots */
      uint32_t head;                   /* written by the producer */
      uint32_t tail;                   /* written by the consumer */
      uint32_t mask;                   /* size of the ring in slots, less 1 */
      uint32_t __reserved;
    } meta;
    struct watch_notification slots[0];
  };
};

/* ---- the filter -------------------------------------------------------------------------------
 */

/* A record passes when some entry has its type, the bit of its subtype
 * (subtype_filter[subtype >> 5] & (1u << (subtype & 31))) and (info & info_mask) == info_filter. */
struct watch_notification_type_filter {
  uint32_t type;
  uint32_t info_filter; /* within info_mask */
  uint32_t info_mask;   /* may not cover WATCH_INFO_LENGTH */
  uint32_t subtype_filter[8];
};

struct watch_notification_filter {
  uint32_t nr_filters; /* 1..16 */
  uint32_t __reserved; /* 0 */
  struct watch_notification_type_filter filters[];
};

#pragma GCC diagnostic pop

/* ---- calls added by watchq --------------------------------------------------------------------
 */

struct watchq_watch {
  uint32_t size;  /* sizeof(struct watchq_watch) */
  int32_t object; /* an open file of the caller, O_PATH is enough */
  int32_t tag;    /* 0..255; -1 removes the watch */
  uint32_t flags; /* WATCHQ_* */
};

/* A watch of a superblock that also asks to be told when its free space, or its free inodes, cross
 * a threshold: below when less than `threshold` is free, above again when an eighth of it more is.
 */
struct watchq_sb_watch {
  struct watchq_watch watch; /* size: sizeof(struct watchq_sb_watch) */
  uint64_t threshold;        /* 0: none */
  uint32_t threshold_kind;   /* WATCHQ_SPACE_*; 0: none */
  uint32_t reserved;         /* 0 */
};

/* What a threshold counts. */
#define WATCHQ_SPACE_FREE_BYTES 1u        /* free bytes */
#define WATCHQ_SPACE_FREE_SHARE 2u        /* free bytes, in millionths of the filesystem's size */
#define WATCHQ_SPACE_FREE_INODES 3u       /* free inodes */
#define WATCHQ_SPACE_FREE_INODES_SHARE 4u /* free inodes, in millionths of all inodes */

struct watchq_key_watch {
  uint32_t size; /* sizeof(struct watchq_key_watch) */
  int32_t key;   /* serial number of a key or keyring */
  int32_t tag;
  uint32_t flags;
  int32_t view; /* a file of the caller on /proc/keys, opened by itself; or -1 */
  uint32_t reserved;
};

/* A key that is linked in a keyring. */
struct watchq_key_link {
  int32_t keyring;
  int32_t key;
};

/* The same with what the caller could read of the keyring, and of those linked below it: a keyring
 * that only its possessor may read the daemon cannot read. Believed for this watch alone. */
struct watchq_keyring_watch {
  struct watchq_key_watch watch; /* size: sizeof(struct watchq_keyring_watch) */
  uint32_t nr_links;             /* up to WATCHQ_MAX_KEY_LINKS */
  uint32_t nr_keyrings;
  uint64_t links;    /* address of nr_links times struct watchq_key_link */
  uint64_t keyrings; /* address of nr_keyrings times int32_t: those that were read */
};

#define WATCHQ_MAX_KEY_LINKS 65536u

/* A record to inject, as write(2) does, which cannot where the ring lies in the page cache. */
struct watchq_injection {
  uint32_t size;   /* sizeof(struct watchq_injection) */
  uint32_t length; /* of the record in bytes, as its info says */
  uint8_t record[504];
};

/* A filter in one piece, for a daemon that may not read its client's memory. */
struct watchq_filter {
  uint32_t size;       /* sizeof(struct watchq_filter) */
  uint32_t nr_filters; /* up to 16; 0 removes the filter */
  struct watch_notification_type_filter filters[16];
};

#define WATCHQ_IOC_MOUNT_NOTIFY _IOW('s', 0x10, struct watchq_watch)
#define WATCHQ_IOC_SB_NOTIFY _IOW('s', 0x11, struct watchq_watch)
/* The same call as WATCHQ_IOC_SB_NOTIFY, with a threshold. */
#define WATCHQ_IOC_SB_WATCH _IOW('s', 0x11, struct watchq_sb_watch)
#define WATCHQ_IOC_KEY_NOTIFY _IOW('s', 0x12, struct watchq_key_watch)
/* The same call, with what the caller could read. */
#define WATCHQ_IOC_KEYRING_NOTIFY _IOW('s', 0x12, struct watchq_keyring_watch)

#define WATCHQ_IOC_INJECT _IOW('s', 0x18, struct watchq_injection)
#define WATCHQ_IOC_SET_FILTER _IOW('s', 0x19, struct watchq_filter)

/* Asks that who waits on the ring's `head` by futex(2) (FUTEX_WAIT without FUTEX_PRIVATE_FLAG, the
 * value being the head that was seen) is woken by new records, as poll() is, at a quarter of its
 * cost. Once a queue; EOPNOTSUPP where daemon and client do not share the ring's memory. A futex
 * knows nothing of a daemon that has gone: wait for a moment, and then by poll(). */
#define WATCHQ_IOC_WAKE_HEAD _IO('s', 0x1a)

#define WATCHQ_DETAIL 0x1u   /* each record is followed by one that explains it */
#define WATCHQ_CHILDREN 0x2u /* keyrings: also the keys linked below */
#define WATCHQ_ALL 0x4u      /* superblocks: all that the caller's mounts reach */
#define WATCHQ_SNAPSHOT 0x8u /* first what is there, then the changes */

/* ---- layout -----------------------------------------------------------------------------------
 */

WATCHQ_ASSERT_LAYOUT(sizeof(struct watch_notification) == 8);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watch_notification, info) == 4);
WATCHQ_ASSERT_LAYOUT(sizeof(struct mount_notification) == 16);
WATCHQ_ASSERT_LAYOUT(offsetof(struct mount_notification, triggered_on) == 8);
WATCHQ_ASSERT_LAYOUT(offsetof(struct mount_notification, changed_mount) == 12);
WATCHQ_ASSERT_LAYOUT(sizeof(struct superblock_notification) == 16);
WATCHQ_ASSERT_LAYOUT(offsetof(struct superblock_notification, sb_id) == 8);
WATCHQ_ASSERT_LAYOUT(sizeof(struct superblock_error_notification) == 24);
WATCHQ_ASSERT_LAYOUT(offsetof(struct superblock_error_notification, error_number) == 16);
WATCHQ_ASSERT_LAYOUT(offsetof(struct superblock_error_notification, error_cookie) == 20);
WATCHQ_ASSERT_LAYOUT(sizeof(struct key_notification) == 16);
WATCHQ_ASSERT_LAYOUT(offsetof(struct key_notification, key_id) == 8);
WATCHQ_ASSERT_LAYOUT(offsetof(struct key_notification, aux) == 12);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_mount_detail) == 40);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_mount_detail, pid) == 24);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_mount_detail, mount_point) == 32);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_superblock_detail) == 48);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_superblock_detail, device_major) == 24);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_superblock_detail, quota_type) == 32);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_superblock_detail, mount_point) == 40);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_lost_notification) == 16);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_lost_notification, lost) == 8);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_space_notification) == 32);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_space_notification, free) == 16);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watch_queue_buffer) == 24);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watch_queue_buffer, meta.head) == 8);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watch_queue_buffer, meta.tail) == 12);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watch_queue_buffer, meta.mask) == 16);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watch_notification_type_filter) == 44);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watch_notification_type_filter, subtype_filter) == 12);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watch_notification_filter) == 8);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_watch) == 16);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_sb_watch) == 32);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_sb_watch, threshold) == 16);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_key_watch) == 24);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_key_detail) == 40);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_key_detail, key_type) == 24);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_key_detail, linked) == 28);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_key_link) == 8);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_keyring_watch) == 48);
WATCHQ_ASSERT_LAYOUT(offsetof(struct watchq_keyring_watch, links) == 32);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_injection) == 512);
WATCHQ_ASSERT_LAYOUT(sizeof(struct watchq_filter) == 712);
WATCHQ_ASSERT_LAYOUT((WATCH_INFO_LENGTH >> WATCH_LENGTH_SHIFT) == 63);

#endif /* WATCHQ_WATCH_QUEUE_H */
