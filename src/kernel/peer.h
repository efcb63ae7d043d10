// SPDX-License-Identifier: MIT
// Peer: the thread whose request is being served, and what it lets us see.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/mount_query.h"
#include "kernel/open_object.h"

namespace watchq {

/// Names a client's thread by its ID in our pid namespace. Valid while that thread waits for the
/// reply to its request. A value.
class Peer {
 public:
  explicit Peer(pid_t thread) : thread_(thread) {}

  /// What one of its open files is open on, as an O_PATH descriptor of our own. It pins what that
  /// file pins. May wait for the server of a network filesystem: never on the serving thread.
  /// Throws RequestError: EBADF when it has no such file, EPERM when we may not look.
  [[nodiscard]] UniqueFd open_object(int fd) const;

  /// The same of its root directory. Throws RequestError(EPERM).
  [[nodiscard]] UniqueFd open_root() const;

  /// One of its open files, as a descriptor of our own: the very same open file. When we close it,
  /// it is flushed, for which a FUSE server can have us wait for ever: for files only that are
  /// known to have no such server. Throws RequestError: EBADF, EPERM.
  [[nodiscard]] UniqueFd copy_descriptor(int fd) const;

  /// The process that the thread is of, by its ID in our pid namespace; 0 when it cannot be known.
  [[nodiscard]] pid_t process() const;

  /// The groups it is in beside its first, in our user namespace; none where we may not look.
  [[nodiscard]] std::vector<gid_t> groups() const;

  /// The path of one of its open files, from the root of its mount namespace; nothing when it has
  /// no such file.
  [[nodiscard]] std::optional<std::string> path_of(int fd) const;

  /// What the mountinfo that it sees says of a mount, by the ID there; nothing when it does not
  /// show it.
  [[nodiscard]] std::optional<MountInfo> mount(std::uint32_t mount_id) const;

  /// Whether something that it can reach is on a filesystem that nobody far away, and no program,
  /// must answer for.
  [[nodiscard]] bool is_on_local_filesystem(const OpenObject& object) const;

  /// Its mount namespace, as an open /proc/PID/ns/mnt. Throws RequestError(EPERM).
  [[nodiscard]] UniqueFd mount_namespace() const;

  /// Its root directory, as a path from the root of its mount namespace. Throws
  /// RequestError(EPERM).
  [[nodiscard]] std::string root() const;

  /// Whether it knows processes by the same numbers as we do.
  [[nodiscard]] bool shares_pid_namespace() const;

  /// Copies its memory at `address`. May block for as long as the client likes (userfaultfd, files
  /// of dead servers): never on the serving thread. Throws RequestError: EFAULT when not all of it
  /// can be read, EPERM when we may not look.
  void read_memory(std::uint64_t address, std::span<std::byte> into) const;

 private:
  pid_t thread_;
};

/// The process that forked another, by IDs in our pid namespace; 0 when it cannot be known.
pid_t parent_process(pid_t process);

}  // namespace watchq
