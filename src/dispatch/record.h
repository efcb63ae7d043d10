// SPDX-License-Identifier: MIT
// From events to the bytes of the ABI.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dispatch/detail_bytes.h"
#include "source/event.h"

namespace watchq {

/// The record that tells a watch with this tag of an event. `below`: the change was not accounted
/// to the watched mount but to one further down.
mount_notification mount_record(const MountEvent& event, std::uint8_t tag, bool below);

/// The record that explains another, of a length that is only known when it is made. A value.
class DetailRecord {
 public:
  /// Explains the record of a mount event. `root` is the watcher's root directory, from the
  /// namespace's root: paths are told from there, and no others. `with_pid`: the watcher knows
  /// processes by our numbers.
  DetailRecord(const MountEvent& event, std::uint8_t tag, const std::string& root, bool with_pid);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_.bytes(); }

 private:
  DetailBytes bytes_{sizeof(watchq_mount_detail)};
};

/// The record after the last of a snapshot.
watch_notification snapshot_record(std::uint8_t tag);

/// The record that ends a watch: its object is gone.
watch_notification removal_record(std::uint8_t tag);

/// Length and tag as the info word has them.
std::uint32_t info_of(std::size_t bytes, std::uint8_t tag);

/// A path as it is seen from `root`; nothing when it is not below.
std::string path_from(const std::string& root, const std::string& path);

/// A record's bytes, for Recipient::post().
template <typename Record>
std::span<const std::byte> bytes_of(const Record& record) {
  return std::as_bytes(std::span(&record, 1));
}

}  // namespace watchq
