// SPDX-License-Identifier: MIT
// Kernel numbers and layouts that Debian 12's headers lack or do not have in full.
//
// Each is named with the kernel that brought it and the header it stands in there. None of them is
// used without a probe: that a number is known here says nothing of the running kernel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace watchq::uapi {

// linux/fanotify.h, Linux 6.15
inline constexpr unsigned int kFanReportMnt = 0x00004000;
inline constexpr unsigned int kFanMarkMntns = 0x00000110;
inline constexpr std::uint64_t kFanMntAttach = 0x01000000;
inline constexpr std::uint64_t kFanMntDetach = 0x02000000;
inline constexpr std::uint8_t kFanEventInfoTypeMnt = 7;

/// struct fanotify_event_info_mnt, its header unfolded.
struct FanotifyInfoMnt {
  std::uint8_t info_type;
  std::uint8_t pad;
  std::uint16_t len;
  std::uint32_t hole;
  std::uint64_t mnt_id;
};
static_assert(sizeof(FanotifyInfoMnt) == 16 && offsetof(FanotifyInfoMnt, mnt_id) == 8);

// linux/nsfs.h, Linux 6.11: _IOR(0xb7, 0x5, __u64)
inline constexpr unsigned long kNsGetMntnsId = 0x8008b705;

// linux/stat.h, Linux 6.8
inline constexpr unsigned int kStatxMntIdUnique = 0x4000;

// linux/mount.h, Linux 6.8; the system call numbers are the same on every architecture
inline constexpr long kSysStatmount = 457;
inline constexpr long kSysListmount = 458;
inline constexpr std::uint64_t kLsmtRoot = ~std::uint64_t{0};

inline constexpr std::uint64_t kStatmountSbBasic = 0x1;
inline constexpr std::uint64_t kStatmountMntBasic = 0x2;
inline constexpr std::uint64_t kStatmountMntRoot = 0x8;
inline constexpr std::uint64_t kStatmountMntPoint = 0x10;
inline constexpr std::uint64_t kStatmountFsType = 0x20;
inline constexpr std::uint64_t kStatmountMntOpts = 0x80;    // Linux 6.11
inline constexpr std::uint64_t kStatmountSbSource = 0x200;  // Linux 6.13

/// struct mnt_id_req; mnt_ns_id since Linux 6.11 (MNT_ID_REQ_SIZE_VER1).
struct MntIdReq {
  std::uint32_t size;
  std::uint32_t spare;
  std::uint64_t mnt_id;
  std::uint64_t param;
  std::uint64_t mnt_ns_id;
};
static_assert(sizeof(MntIdReq) == 32);

/// struct statmount, up to the fields used here. The words named after strings are offsets into the
/// text that follows at byte 512.
struct Statmount {
  std::uint32_t size;
  std::uint32_t mnt_opts;
  std::uint64_t mask;
  std::uint32_t sb_dev_major;
  std::uint32_t sb_dev_minor;
  std::uint64_t sb_magic;
  std::uint32_t sb_flags;
  std::uint32_t fs_type;
  std::uint64_t mnt_id;
  std::uint64_t mnt_parent_id;
  std::uint32_t mnt_id_old;
  std::uint32_t mnt_parent_id_old;
  std::uint64_t mnt_attr;
  std::uint64_t mnt_propagation;
  std::uint64_t mnt_peer_group;
  std::uint64_t mnt_master;
  std::uint64_t propagate_from;
  std::uint32_t mnt_root;
  std::uint32_t mnt_point;
  std::uint64_t mnt_ns_id;
  std::uint32_t fs_subtype;
  std::uint32_t sb_source;
};
inline constexpr std::size_t kStatmountTextOffset = 512;
static_assert(sizeof(Statmount) <= kStatmountTextOffset && offsetof(Statmount, mnt_id) == 40);
static_assert(offsetof(Statmount, mnt_root) == 104 && offsetof(Statmount, sb_source) == 124);

// linux/fuse.h, Linux 6.9 (protocol 7.40)
inline constexpr std::uint32_t kFuseInitExt = 1U << 30;
inline constexpr std::uint32_t kFusePassthroughFlags2 = 1U << (37 - 32);
inline constexpr std::uint32_t kFopenPassthrough = 1U << 7;
inline constexpr std::uint32_t kFusePassthroughMinor = 40;

/// struct fuse_init_out.
struct FuseInitOut {
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t max_readahead;
  std::uint32_t flags;
  std::uint16_t max_background;
  std::uint16_t congestion_threshold;
  std::uint32_t max_write;
  std::uint32_t time_gran;
  std::uint16_t max_pages;
  std::uint16_t map_alignment;
  std::uint32_t flags2;
  std::uint32_t max_stack_depth;
  std::uint32_t unused[6];
};
static_assert(sizeof(FuseInitOut) == 64 && offsetof(FuseInitOut, max_stack_depth) == 36);

/// struct fuse_open_out; the last word is backing_id since 7.40.
struct FuseOpenOut {
  std::uint64_t fh;
  std::uint32_t open_flags;
  std::int32_t backing_id;
};
static_assert(sizeof(FuseOpenOut) == 16);

/// struct fuse_backing_map.
struct FuseBackingMap {
  std::int32_t fd;
  std::uint32_t flags;
  std::uint64_t padding;
};
inline constexpr unsigned long kFuseDevIocBackingOpen = 0x4010e501;   // _IOW(229, 1, 16 bytes)
inline constexpr unsigned long kFuseDevIocBackingClose = 0x4004e502;  // _IOW(229, 2, 4 bytes)

}  // namespace watchq::uapi
