// SPDX-License-Identifier: MIT
#include "kernel/key_rights.h"

#include <linux/keyctl.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>

#include "base/error.h"

namespace watchq {
namespace {

// The system calls themselves: glibc's setgroups() changes all threads.
void set_groups(const std::vector<gid_t>& groups) {
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) != 0) throw_errno("setgroups");
}

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
  if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0) throw_errno("getgroups");
  return groups;
}

/// setfsuid(2) says only what it was before.
void set_ids(uid_t user, gid_t group) {
  ::setfsgid(group);
  ::setfsuid(user);
  if (static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) != group ||
      static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) != user) {
    errno = EPERM;
    throw_errno("setfsuid");
  }
}

}  // namespace

BorrowedIds::BorrowedIds(const KeyRights& rights) : own_{::geteuid(), ::getegid(), own_groups()} {
  if (rights == own_) return;
  // First the groups: with another user's ID there would be no right to set them.
  if (rights.groups != own_.groups) set_groups(rights.groups);
  changed_ = true;
  try {
    set_ids(rights.user, rights.group);
  } catch (...) {
    ::setfsuid(own_.user);
    ::setfsgid(own_.group);
    static_cast<void>(::syscall(SYS_setgroups, own_.groups.size(), own_.groups.data()));
    throw;
  }
}

BorrowedIds::~BorrowedIds() {
  if (!changed_) return;
  try {
    set_ids(own_.user, own_.group);
    set_groups(own_.groups);
  } catch (const std::system_error&) {
    std::terminate();  // nobody may go on with another's IDs
  }
}

void leave_session_keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0) {
    throw_errno("joining a session keyring of our own");
  }
}

}  // namespace watchq
