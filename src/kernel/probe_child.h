// SPDX-License-Identifier: MIT
// The probe process: asks superblocks what may take for ever, so that nobody else has to wait.
#pragma once

namespace watchq {

/// Runs as a probe: the first message on `socket` says what to ask and as whom, each further one is
/// a question. For a process that has but one thread and nothing else to do. Ends, with exit code
/// 0, when the other end of the socket is closed, also while a question waits for its answer,
/// unless the kernel waits uninterruptibly.
int run_probe(int socket);

}  // namespace watchq
