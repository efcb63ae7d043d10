// SPDX-License-Identifier: MIT
// Quota warnings of the kernel: generic netlink family VFS_DQUOT (linux/quota.h, Linux 2.6.31).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace watchq {

/// A warning (QUOTA_NL_C_WARNING): somebody crossed a quota limit, or came back below it.
struct QuotaWarning {
  std::uint32_t kind = 0;     ///< whose quota: USRQUOTA 0, GRPQUOTA 1, PRJQUOTA 2
  std::uint64_t id = 0;       ///< the user, group or project, in the initial user namespace
  std::uint32_t warning = 0;  ///< QUOTA_NL_* of linux/quota.h
  std::uint32_t major = 0;    ///< the superblock's device
  std::uint32_t minor = 0;
  std::uint64_t caused_by = 0;  ///< the user whose process crossed it

  bool operator==(const QuotaWarning&) const = default;
};

/// Whether a warning says that a write or a new file was refused: the hard limit was reached, or
/// the soft limit's grace has run out. That a soft limit was crossed refuses nothing yet.
bool is_limit_hit(const QuotaWarning& warning);
/// Whether a limit hit is one of inodes, not of blocks.
bool is_of_inodes(const QuotaWarning& warning);

/// The group in which the kernel tells: a non-blocking socket that has joined it, and the family's
/// number, which each message must bear.
struct QuotaSocket {
  UniqueFd fd;
  int family = 0;
};

/// Joins. Works in the initial network namespace alone. Throws std::system_error: ENOENT where the
/// kernel has no such family (CONFIG_QUOTA_NETLINK_INTERFACE).
QuotaSocket open_quota_socket();

struct QuotaNews {
  std::vector<QuotaWarning> warnings;
  bool lost = false;  ///< the socket's buffer was full: the kernel dropped some
};

/// Takes what waits, up to what one read gives; nothing when nothing does. What did not come from
/// the kernel is left out. Throws std::system_error.
std::optional<QuotaNews> read_quota(const QuotaSocket& socket);

/// Decodes what one read from the socket gave: any number of messages. Messages of other families,
/// and those that lack an attribute, have it twice as long or are cut, are left out.
std::vector<QuotaWarning> decode_quota(std::span<const std::byte> bytes, int family);

}  // namespace watchq
