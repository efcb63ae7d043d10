// SPDX-License-Identifier: MIT
// The records of the kernel's watch queue and of the BPF programs, on arbitrary bytes.
#include "fuzz/fuzz_input.h"
#include "kernel/key_bpf.h"
#include "kernel/key_pipe.h"

namespace watchq {
namespace {

constexpr std::size_t kLeastRecord = 8;

void key_pipe(std::span<const std::byte> bytes) {
  KeyPipeTaken taken;
  decode_key_pipe(bytes, taken);
  require(taken.deeds.size() <= bytes.size() / kLeastRecord, "no more deeds than records");
  for (const KeyDeed& deed : taken.deeds) {
    require(deed.kind <= KeyDeedKind::freed, "one of the kernel's own kinds");
  }
  if (const auto deed = decode_key_fact(bytes)) {
    require(deed->kind <= KeyDeedKind::freed, "one of the programs' kinds");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::key_pipe(std::as_bytes(std::span(data, size)));
  return 0;
}
