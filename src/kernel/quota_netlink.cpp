// SPDX-License-Identifier: MIT
#include "kernel/quota_netlink.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/quota.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace watchq {
namespace {

struct FreeSocket {
  void operator()(nl_sock* socket) const { ::nl_socket_free(socket); }
};
using Socket = std::unique_ptr<nl_sock, FreeSocket>;

/// libnl has error numbers of its own.
int errno_of(int error) {
  switch (-error) {
    case NLE_NOMEM:
      return ENOMEM;
    case NLE_PERM:
    case NLE_NOACCESS:
      return EPERM;
    default:
      return ENOENT;
  }
}

[[noreturn]] void refuse(int error, const char* what) {
  throw std::system_error(errno_of(error), std::system_category(), what);
}

template <typename Number>
bool take(nlattr* const* attributes, int which, Number& into) {
  const nlattr* attribute = attributes[which];
  if (attribute == nullptr || ::nla_len(attribute) != static_cast<int>(sizeof into)) return false;
  std::memcpy(&into, ::nla_data(attribute), sizeof into);
  return true;
}

std::optional<QuotaWarning> decode_message(nlmsghdr* header, int family) {
  if (header->nlmsg_type != family || ::genlmsg_valid_hdr(header, 0) == 0) return std::nullopt;
  const auto* command = static_cast<const genlmsghdr*>(::nlmsg_data(header));
  if (command->cmd != QUOTA_NL_C_WARNING) return std::nullopt;
  std::array<nlattr*, QUOTA_NL_A_MAX + 1> attributes{};
  if (::genlmsg_parse(header, 0, attributes.data(), QUOTA_NL_A_MAX, nullptr) != 0) {
    return std::nullopt;
  }
  QuotaWarning warning;
  const bool whole = take(attributes.data(), QUOTA_NL_A_QTYPE, warning.kind) &&
                     take(attributes.data(), QUOTA_NL_A_EXCESS_ID, warning.id) &&
                     take(attributes.data(), QUOTA_NL_A_WARNING, warning.warning) &&
                     take(attributes.data(), QUOTA_NL_A_DEV_MAJOR, warning.major) &&
                     take(attributes.data(), QUOTA_NL_A_DEV_MINOR, warning.minor) &&
                     take(attributes.data(), QUOTA_NL_A_CAUSED_ID, warning.caused_by);
  return whole ? std::optional(warning) : std::nullopt;
}

}  // namespace

bool is_of_inodes(const QuotaWarning& warning) {
  return warning.warning == QUOTA_NL_IHARDWARN || warning.warning == QUOTA_NL_ISOFTLONGWARN;
}

bool is_limit_hit(const QuotaWarning& warning) {
  return is_of_inodes(warning) || warning.warning == QUOTA_NL_BHARDWARN ||
         warning.warning == QUOTA_NL_BSOFTLONGWARN;
}

QuotaSocket open_quota_socket() {
  const Socket socket(::nl_socket_alloc());
  if (!socket) throw std::system_error(ENOMEM, std::system_category(), "netlink socket");
  if (const int error = ::genl_connect(socket.get()); error < 0) refuse(error, "generic netlink");
  const int family = ::genl_ctrl_resolve(socket.get(), "VFS_DQUOT");
  if (family < 0) refuse(family, "generic netlink family VFS_DQUOT");
  const int group = ::genl_ctrl_resolve_grp(socket.get(), "VFS_DQUOT", "events");
  if (group < 0) refuse(group, "multicast group events of VFS_DQUOT");
  if (const int error = ::nl_socket_add_membership(socket.get(), group); error < 0) {
    refuse(error, "joining the quota warnings");
  }
  // libnl closes its own.
  UniqueFd fd(::fcntl(::nl_socket_get_fd(socket.get()), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid() || ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("quota socket");
  return {std::move(fd), family};
}

std::optional<QuotaNews> read_quota(const QuotaSocket& socket) {
  std::array<std::byte, 8192> buffer;
  sockaddr_nl sender{};
  socklen_t length = sizeof sender;
  const ssize_t got = ::recvfrom(socket.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                 static_cast<sockaddr*>(static_cast<void*>(&sender)), &length);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got < 0 && errno == ENOBUFS) return QuotaNews{{}, true};
  if (got < 0) throw_errno("reading quota warnings");
  if (sender.nl_pid != 0) return QuotaNews{};
  return QuotaNews{
      decode_quota(std::span(buffer).first(static_cast<std::size_t>(got)), socket.family), false};
}

std::vector<QuotaWarning> decode_quota(std::span<const std::byte> bytes, int family) {
  std::vector<QuotaWarning> warnings;
  // Aligned, and ours: libnl's readers want to be let write.
  std::vector<std::uint64_t> copy(bytes.size() / sizeof(std::uint64_t) + 1);
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  auto* header = reinterpret_cast<nlmsghdr*>(copy.data());
  for (int left = static_cast<int>(bytes.size()); ::nlmsg_ok(header, left) != 0;
       header = ::nlmsg_next(header, &left)) {
    if (const auto warning = decode_message(header, family)) warnings.push_back(*warning);
  }
  return warnings;
}

}  // namespace watchq
