// SPDX-License-Identifier: MIT
// A queue with the watches of `watchq monitor`.
#pragma once

#include <watchq/watchq.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tool/failure.h"

namespace watchq {

/// Below how much free space a filesystem is to be told of.
struct FreeThreshold {
  std::uint32_t kind = 0;   ///< WATCHQ_SPACE_FREE_BYTES or WATCHQ_SPACE_FREE_SHARE
  std::uint64_t value = 0;  ///< bytes or millionths
};

/// One watch. Its place in a list is its tag.
struct Watched {
  enum class What { mounts, superblock, key, all_superblocks };
  What what = What::mounts;
  std::string path;      ///< or how the key was named
  std::int32_t key = 0;  ///< its serial number, or a special ID of keyctl(2)
};

/// A key that is to be watched.
struct NamedKey {
  std::string name;         ///< as it was given
  std::int32_t serial = 0;  ///< or the special ID of keyctl(2), below 0
};

/// Whether its events are told by what was named, and not by where they happened.
bool is_told_by_name(const Watched& watched);
/// Whether what is there already comes before the changes. Keys are watched without: to see what is
/// linked in a keyring takes more rights than to watch it.
bool has_snapshot(const Watched& watched);

struct CloseQueue {
  void operator()(watchq_queue* queue) const { ::watchq_close(queue); }
};
using Queue = std::unique_ptr<watchq_queue, CloseQueue>;

/// Opens a queue of the daemon at `directory`. Its ring has `pages` pages, a power of two, or where
/// the daemon refuses these as many as it gives, which `pages` then says. Throws Failure.
Queue open_queue(const std::string& directory, unsigned int& pages);

/// Pages of a ring that holds the snapshots of `watches` watches of all mounts there are now, and a
/// storm besides.
unsigned int ring_pages_for(std::size_t watches);

/// Sets a watch with details and, where it has one, a snapshot. `free` is for superblocks. Returns
/// 0 or an errno.
int set_watch(const watchq_queue* queue, const Watched& watched, int tag,
              const std::optional<FreeThreshold>& free);

/// Gives a queue a filter of up to 16 entries, or with none takes it away. Returns false with
/// errno.
bool set_ring_filter(const watchq_queue* queue,
                     const std::vector<watch_notification_type_filter>& entries);

/// Why a watch was not set.
Failure cannot_watch(const Watched& watched, int error);

/// What is watched, in words.
std::string list_of(const std::vector<Watched>& all);

}  // namespace watchq
