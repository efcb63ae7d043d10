// SPDX-License-Identifier: MIT
// The arguments of the calls on a queue: bytes in, values out. Pure; bytes that are too few or ask
// for what there is not throw RequestError.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "queue/filter.h"

namespace watchq {

/// The argument of a watch call, and how many bytes of it were not seen: the command's number may
/// promise less than the argument's own size. They must be 0 too: require_zero().
template <typename Argument>
struct WatchArgument {
  Argument asked{};
  std::size_t unseen = 0;
};

/// What a shorter argument lacks is 0. Throws EINVAL for one too short, E2BIG for one too long or
/// one that asks for what only a later version knows.
WatchArgument<watchq_watch> decode_mount_watch(std::span<const std::byte> input);
WatchArgument<watchq_sb_watch> decode_sb_watch(std::span<const std::byte> input);
WatchArgument<watchq_keyring_watch> decode_key_watch(std::span<const std::byte> input);

/// A later version's argument may be longer, as long as it asks for nothing that we do not know.
/// Throws E2BIG.
void require_zero(std::span<const std::byte> growth);

/// How many bytes of entries follow this header of a filter. Throws EINVAL.
std::size_t filter_entries_bytes(std::span<const std::byte> header);
/// A header and all its entries. Throws EINVAL.
Filter decode_filter(std::span<const std::byte> bytes);
/// A struct watchq_filter, which holds all entries. Throws EINVAL.
Filter decode_whole_filter(std::span<const std::byte> input);

/// The record in a struct watchq_injection, not looked at. It lies in `input`. Throws EINVAL.
std::span<const std::byte> decode_injection(std::span<const std::byte> input);

}  // namespace watchq
