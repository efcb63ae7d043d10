// SPDX-License-Identifier: MIT
// The decoder of what statmount(2) wrote, on arbitrary bytes of any length.
#include "fuzz/fuzz_input.h"
#include "kernel/mount_query.h"

namespace watchq {
namespace {

void statmount(std::span<const std::byte> answer) {
  const MountInfo info = decode_statmount(answer);
  for (const std::string* text : {&info.root, &info.mount_point, &info.fs_type, &info.source}) {
    require(text->size() <= answer.size(), "text comes from the answer");
    require(text->find('\0') == std::string::npos, "and ends with its NUL");
  }
  const SuperblockState state = decode_superblock_state(answer);
  require(state.options.size() <= answer.size(), "text comes from the answer");
  static_cast<void>(state.has("emergency_ro"));
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::statmount(std::as_bytes(std::span(data, size)));
  return 0;
}
