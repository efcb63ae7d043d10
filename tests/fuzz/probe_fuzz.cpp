// SPDX-License-Identifier: MIT
// What a probe process may send as its first message.
//
// Input: one message.
#include <sys/socket.h>

#include <array>

#include "fuzz/fuzz_input.h"
#include "kernel/probe_spawn.h"

namespace watchq {
namespace {

void probe(std::span<const std::uint8_t> message) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0, "a socket");
  const SpawnedProbe probe{UniqueFd(ends[0]), UniqueFd()};
  UniqueFd theirs(ends[1]);
  static_cast<void>(::send(theirs.get(), message.data(), message.size(), MSG_NOSIGNAL));
  theirs.reset();
  const int error = await_probe(probe, 0);
  if (message.size() < sizeof(ProbeAnswer)) {
    require(error == ECHILD, "no whole answer is none");
    return;
  }
  ProbeAnswer answer;
  std::memcpy(&answer, message.data(), sizeof answer);
  require(error == answer.error || error == ECHILD, "its error");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::probe({data, size});
  return 0;
}
