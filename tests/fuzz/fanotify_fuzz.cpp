// SPDX-License-Identifier: MIT
// The decoders of fanotify events on arbitrary bytes: mounts, and errors of filesystems.
#include "fuzz/fuzz_input.h"
#include "kernel/error_fanotify.h"
#include "kernel/fanotify.h"

namespace watchq {
namespace {

constexpr std::size_t kLeastEvent = 24;

/// What is malformed is refused as such, whatever it is.
template <typename Decode>
void decode_or_refuse(std::span<const std::byte> events, Decode decode) {
  try {
    const auto decoded = decode(events);
    require(decoded.size() <= events.size() / kLeastEvent, "no more than can be in there");
  } catch (const std::system_error& error) {
    require(error.code().value() == EBADMSG, "refused as malformed");
  }
}

void fanotify(std::span<const std::byte> events) {
  decode_or_refuse(events, [](std::span<const std::byte> bytes) {
    auto changes = decode_mount_changes(bytes);
    for (const MountChange& change : changes) {
      require(change.mount != 0 || !(change.attached || change.detached), "a change has a mount");
    }
    return changes;
  });
  decode_or_refuse(events, decode_filesystem_errors);
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::fanotify(std::as_bytes(std::span(data, size)));
  return 0;
}
