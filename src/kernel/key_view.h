// SPDX-License-Identifier: MIT
// KeyView: what a client may view of keys, through its own eyes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/key_rights.h"
#include "kernel/keyctl.h"
#include "kernel/peer.h"

namespace watchq {

/// An open /proc/keys of a client. It shows what its opener may view, also what the opener
/// possesses, whoever reads it: so it must be found out who opened it.
///
/// The kernel does not say that, but it can be seen what the opener may view. A key that is shown
/// to one user alone is made for a moment: the file shows it when that user has opened it. An
/// opener that is in a group that the client is not in is found in the same way. What cannot be
/// seen is which of a user's processes it was, once the others no longer have the file open: as
/// long as one that does not descend from the client has it, it is not believed.
///
/// A client that has the file open too can have every reader of it wait, and not even be killed: so
/// others read it for us (KeyViewReader). What takes too long shows nothing.
///
/// Any thread that may wait.
class KeyView {
 public:
  /// Copies the client's descriptor. Throws RequestError: EBADF where it has no such file, EINVAL
  /// where that is no /proc/keys open for reading, EPERM where we may not look.
  /// `user` is whose descriptors it is, for how long reading may take.
  KeyView(const Peer& client, int fd, uid_t user);

  /// Whether a client with these rights opened the file, as far as can be known. The client waits
  /// for us meanwhile. Throws RequestError, EDQUOT where the user's quota has no room for one key
  /// more.
  [[nodiscard]] bool is_opened_by(const Peer& client, int fd, const KeyRights& rights) const;

  /// All keys that it shows.
  [[nodiscard]] std::vector<std::int32_t> keys() const;

  /// The lines that it shows of these keys, which are in order.
  [[nodiscard]] std::vector<KeyLine> lines_of(const std::vector<std::int32_t>& keys) const;

  /// Whether a key of this line is shown because its opener possesses it, and not as a member of
  /// its group. For lines of keys that the client's IDs alone may not view.
  [[nodiscard]] bool is_possessed(const KeyLine& line, const KeyRights& rights) const;

  /// Its descriptor, which stays its own.
  [[nodiscard]] int fd() const { return file_.get(); }

 private:
  /// Throws RequestError(ETIMEDOUT) where it cannot be read.
  [[nodiscard]] bool shows(std::int32_t key) const;

  UniqueFd file_;
  uid_t user_;
};

/// The keys that /proc/keys shows with the calling thread's IDs.
std::vector<std::int32_t> visible_keys();

/// The lines of /proc/keys of these keys, which are in order, with the calling thread's IDs.
std::vector<KeyLine> visible_lines(const std::vector<std::int32_t>& keys);

}  // namespace watchq
