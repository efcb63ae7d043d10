// SPDX-License-Identifier: MIT
#include "tool/watch_plan.h"

#include <cerrno>

#include "base/error.h"
#include "tool/until.h"

namespace watchq {

std::vector<Watched> named_in(const MonitorOptions& options) {
  std::vector<Watched> all;
  for (const std::string& path : options.mounts) all.push_back({Watched::What::mounts, path, 0});
  for (const std::string& path : options.superblocks) {
    all.push_back({Watched::What::superblock, path, 0});
  }
  for (const NamedKey& key : options.keys) {
    all.push_back({Watched::What::key, key.name, key.serial});
  }
  if (options.all_superblocks) all.push_back({Watched::What::all_superblocks, "/", 0});
  return all;
}

std::vector<Watched> watches_of(const MonitorOptions& options) {
  if (!options.until_state) return named_in(options);
  // A path that is waited for need not be there yet, nor be in the mount that it will be in: only
  // the watch of everything misses nothing.
  MonitorOptions all = options;
  all.mounts = {"/"};
  all.all_superblocks |= is_of_superblocks(*options.until_state);
  return named_in(all);
}

bool is_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENOKEY || error == EKEYREVOKED ||
         error == EKEYEXPIRED;
}

void set_filter(const MonitorOptions& options, const watchq_queue* queue) {
  EventFilter filter = options.filter;
  // Waiting for a state takes all events.
  if (filter.is_empty() || options.until_state) return;
  if (options.until) filter.add_for_ring(*options.until);
  const auto entries = filter.ring_filter(true);
  if (!set_ring_filter(queue, entries) && errno != ENOTCONN && errno != ECONNABORTED) {
    throw_errno("cannot set the filter of the queue");
  }
}

}  // namespace watchq
