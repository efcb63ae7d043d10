// SPDX-License-Identifier: MIT
#include "kernel/mount_query.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "base/error.h"
#include "base/take_until.h"
#include "kernel/uapi.h"

namespace watchq {
namespace {

constexpr std::uint32_t kSbRdonly = 1;  // linux/fs.h; statmount(2) gives SB_* flags

constexpr std::uint64_t kNumbers = uapi::kStatmountMntBasic;
constexpr std::uint64_t kAll = kNumbers | uapi::kStatmountSbBasic | uapi::kStatmountMntRoot |
                               uapi::kStatmountMntPoint | uapi::kStatmountFsType |
                               uapi::kStatmountSbSource;

std::string text_at(std::span<const std::byte> buffer, std::uint32_t offset) {
  const std::size_t start = uapi::kStatmountTextOffset + offset;
  if (start >= buffer.size()) return {};
  const auto* text = reinterpret_cast<const char*>(buffer.data() + start);
  return {text, ::strnlen(text, buffer.size() - start)};
}

/// What of the fixed part is there; the rest is 0.
uapi::Statmount head_of(std::span<const std::byte> answer) {
  uapi::Statmount raw{};
  std::memcpy(&raw, answer.data(), std::min(answer.size(), sizeof raw));
  return raw;
}

std::uint64_t mask_of(MountDetail detail) {
  switch (detail) {
    case MountDetail::numbers:
      return kNumbers;
    case MountDetail::mount_point:
      return kNumbers | uapi::kStatmountMntPoint;
    case MountDetail::all_but_mount_point:
      return kAll & ~uapi::kStatmountMntPoint;
    case MountDetail::all:
      return kAll;
  }
  __builtin_unreachable();
}

/// Calls `use` with the kernel's answer, unless the mount is not there.
template <typename Use>
void statmount(std::uint64_t mount, std::uint64_t namespace_id, std::uint64_t mask, Use use) {
  uapi::MntIdReq request{sizeof request, 0, mount, mask, namespace_id};
  // Paths seldom need more; a longer one is asked for again with more room.
  alignas(uapi::Statmount) std::array<std::byte, 2048> small;
  std::vector<std::byte> large;
  std::span<std::byte> buffer = small;
  while (::syscall(uapi::kSysStatmount, &request, buffer.data(), buffer.size(), 0) != 0) {
    if (errno == ENOENT) return;
    if (errno != EOVERFLOW) throw_errno("statmount of mount " + std::to_string(mount));
    large.resize(buffer.size() * 4);
    buffer = large;
  }
  use(std::span<const std::byte>(buffer));
}

}  // namespace

MountInfo decode_statmount(std::span<const std::byte> answer) {
  const auto raw = head_of(answer);
  MountInfo info;
  info.mount = raw.mnt_id;
  info.parent = raw.mnt_parent_id;
  info.id = raw.mnt_id_old;
  info.parent_id = raw.mnt_parent_id_old;
  info.attributes = raw.mnt_attr;
  info.propagation = raw.mnt_propagation;
  info.peer_group = raw.mnt_peer_group;
  info.master = raw.mnt_master;
  if ((raw.mask & uapi::kStatmountSbBasic) != 0) {
    info.device = std::to_string(raw.sb_dev_major) + ":" + std::to_string(raw.sb_dev_minor);
  }
  const auto text = [&](std::uint64_t bit, std::uint32_t offset) {
    return (raw.mask & bit) != 0 ? text_at(answer, offset) : std::string();
  };
  info.root = text(uapi::kStatmountMntRoot, raw.mnt_root);
  info.mount_point = text(uapi::kStatmountMntPoint, raw.mnt_point);
  info.fs_type = text(uapi::kStatmountFsType, raw.fs_type);
  info.source = text(uapi::kStatmountSbSource, raw.sb_source);
  return info;
}

SuperblockState decode_superblock_state(std::span<const std::byte> answer) {
  const auto raw = head_of(answer);
  SuperblockState state;
  state.read_only = (raw.sb_flags & kSbRdonly) != 0;
  if ((raw.mask & uapi::kStatmountMntOpts) != 0) state.options = text_at(answer, raw.mnt_opts);
  return state;
}

std::optional<MountInfo> query_mount(std::uint64_t mount, std::uint64_t namespace_id,
                                     MountDetail detail) {
  const std::uint64_t mask = mask_of(detail);
  std::optional<MountInfo> info;
  statmount(mount, namespace_id, mask,
            [&](std::span<const std::byte> answer) { info = decode_statmount(answer); });
  return info;
}

bool SuperblockState::has(std::string_view option) const {
  std::string_view left = options;
  while (!left.empty()) {
    if (take_until(left, ',') == option) return true;
  }
  return false;
}

std::optional<SuperblockState> query_superblock(std::uint64_t mount, std::uint64_t namespace_id) {
  std::optional<SuperblockState> state;
  const std::uint64_t mask = uapi::kStatmountSbBasic | uapi::kStatmountMntOpts;
  statmount(mount, namespace_id, mask,
            [&](std::span<const std::byte> answer) { state = decode_superblock_state(answer); });
  return state;
}

std::string query_mount_options(std::uint64_t mount, std::uint64_t namespace_id) {
  std::string options;
  statmount(mount, namespace_id, uapi::kStatmountMntOpts, [&](std::span<const std::byte> answer) {
    const auto raw = head_of(answer);
    if ((raw.mask & uapi::kStatmountMntOpts) != 0) options = text_at(answer, raw.mnt_opts);
  });
  return options;
}

std::vector<std::uint64_t> list_mounts(std::uint64_t namespace_id) {
  std::vector<std::uint64_t> mounts;
  std::array<std::uint64_t, 512> page;
  uapi::MntIdReq request{sizeof request, 0, uapi::kLsmtRoot, 0, namespace_id};
  for (;;) {
    const long got = ::syscall(uapi::kSysListmount, &request, page.data(), page.size(), 0);
    if (got < 0) throw_errno("listmount");
    mounts.insert(mounts.end(), page.begin(), page.begin() + got);
    if (static_cast<std::size_t>(got) < page.size()) return mounts;
    request.param = page.back();
  }
}

}  // namespace watchq
