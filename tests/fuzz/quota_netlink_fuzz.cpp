// SPDX-License-Identifier: MIT
// Quota warnings in arbitrary netlink messages.
//
// Input: the family's number, then what one read gave.
#include "fuzz/fuzz_input.h"
#include "kernel/quota_netlink.h"

namespace watchq {
namespace {

constexpr std::size_t kLeastMessage = 16;

void quota_netlink(FuzzInput input) {
  const int family = input.take<std::uint16_t>();
  const auto bytes = std::as_bytes(input.rest());
  const auto warnings = decode_quota(bytes, family);
  require(warnings.size() <= bytes.size() / kLeastMessage, "no more warnings than messages");
  require(decode_quota(bytes, family) == warnings, "the bytes stay as they are");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::quota_netlink(watchq::FuzzInput(data, size));
  return 0;
}
