// SPDX-License-Identifier: MIT
// What `watchq monitor` watches for its options.
#pragma once

#include <vector>

#include "tool/options.h"
#include "tool/watched.h"

namespace watchq {

/// What the options name, by tag.
std::vector<Watched> named_in(const MonitorOptions& options);
/// What is watched for it, by tag.
std::vector<Watched> watches_of(const MonitorOptions& options);

/// Gives the queue the filter that spares it what is not wanted. Where the daemon has gone nothing
/// happens. Throws std::system_error.
void set_filter(const MonitorOptions& options, const watchq_queue* queue);

/// Whether an errno of a watch says that its object is not there any more.
bool is_gone(int error);

}  // namespace watchq
