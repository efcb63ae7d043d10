// SPDX-License-Identifier: MIT
// KeyRights: what the kernel decides by whether a client may view a key.
#pragma once

#include <sys/types.h>

#include <compare>
#include <vector>

namespace watchq {

/// The IDs of a client's thread when it asked, in our user namespace. A value.
struct KeyRights {
  uid_t user = 0;   ///< its fsuid
  gid_t group = 0;  ///< its fsgid
  std::vector<gid_t> groups;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the compiler's own 0 for ours
  friend auto operator<=>(const KeyRights&, const KeyRights&) = default;
};

/// Gives the calling thread, and no other, these IDs for the file system and for keys, until it is
/// destroyed. No code that may throw into other work, and no wait, may run meanwhile. Without
/// CAP_SETUID only our own IDs can be had: throws std::system_error(EPERM) for others.
class BorrowedIds {
 public:
  explicit BorrowedIds(const KeyRights& rights);
  ~BorrowedIds();
  BorrowedIds(const BorrowedIds&) = delete;
  BorrowedIds& operator=(const BorrowedIds&) = delete;

 private:
  KeyRights own_;
  bool changed_ = false;
};

/// Puts this process, which must have one thread still, into an empty session keyring of its own:
/// what it possesses opens no key to anybody then. Throws std::system_error.
void leave_session_keyring();

}  // namespace watchq
