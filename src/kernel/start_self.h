// SPDX-License-Identifier: MIT
// Starting this program again, as a process for what may never answer.
#pragma once

#include "base/unique_fd.h"

namespace watchq {

/// Takes the lowest descriptor that is free. Each process started later has copies of what is below
/// it, and of nothing above, not for the moment until it begins either. To be called first of all;
/// else the first start does it. Any thread. Throws std::system_error.
void prepare_to_start_self();

/// Starts this program again, with one argument, in "/", in a process group of its own, with
/// `socket` as its standard input and no other of our descriptors. Gives its pidfd: readable when
/// the process has ended; it is ours to reap. Any thread. Throws std::system_error.
UniqueFd start_self(int socket, const char* argument);

}  // namespace watchq
