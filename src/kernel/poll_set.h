// SPDX-License-Identifier: MIT
// A set of files that are waited for as one.
#pragma once

#include <cstdint>

#include "base/unique_fd.h"

namespace watchq {

/// An epoll(7) set for a reactor to wait for: readable when one of its files is as it was added
/// for. It is never asked which: whoever is woken asks the files themselves, and what they say no
/// more the set says no more either. Throws std::system_error.
UniqueFd open_poll_set();

/// Adds an open file to a set, for EPOLLIN, EPOLLPRI or both; it leaves when it is closed. Each
/// time that the set is polled those files are which have had anything to tell: of one that tells
/// each change once, as mountinfo does, the set may swallow it. Throws std::system_error.
void add_to_poll_set(int set, int fd, std::uint32_t events);

}  // namespace watchq
