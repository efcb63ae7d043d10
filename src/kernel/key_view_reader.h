// SPDX-License-Identifier: MIT
// Reads the open files of clients by a process of its own, which may be made to wait for ever.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace watchq {

/// The first argument of a watchqd that is to be such a process. Its socket is descriptor 0.
inline constexpr const char* kViewReaderArgument = "--read-key-views";

/// Runs as one: each message brings a file to read and one to write what was read to, and is
/// answered when that is done. Ends, with exit code 0, when the other end of the socket is closed.
int run_view_reader(int socket);

/// All of a file from its start, by its own position. Waits as long as the file has it wait.
std::string read_whole(int fd);

/// The same, by a process of this user's, and for a second at most. A user who has us wait for
/// longer is not served for a minute. Nothing where it could not be read. Any thread that may wait.
std::optional<std::string> read_view(int fd, uid_t user);

}  // namespace watchq
