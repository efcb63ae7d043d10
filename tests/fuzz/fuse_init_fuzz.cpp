// SPDX-License-Identifier: MIT
// The handshake with FUSE: arbitrary requests and replies go by, and replies are completed.
//
// Input: how long the reply's payload is, then the request, whose start serves as reply too.
#include <fcntl.h>
#include <linux/fuse.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "fuse/handshake.h"
#include "fuzz/fuzz_input.h"
#include "kernel/fuse_init.h"

namespace watchq {
namespace {

int sink() {
  static const int kSink = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  return kSink;
}

void fuse_init(FuzzInput input) {
  const std::size_t payload = input.take<std::uint8_t>();
  const auto request = std::as_bytes(input.rest());
  const FuseInit init = decode_fuse_init(request);
  require(init.request != 0 || !init.passthrough || request.size() >= sizeof(fuse_in_header),
          "an offer is made by a request");
  Handshake handshake;
  handshake.on_request(request);
  fuse_out_header header{};
  header.unique = init.request;
  std::vector<std::byte> reply(payload);
  std::copy_n(request.begin(), std::min(payload, request.size()), reply.begin());
  const std::array<iovec, 2> parts{iovec{&header, sizeof header},
                                   iovec{reply.data(), reply.size()}};
  for (int again = 0; again < 2; ++again) {
    require(
        handshake.write_reply(sink(), parts) == static_cast<ssize_t>(sizeof header + reply.size()),
        "what libfuse asked to be written was");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::fuse_init(watchq::FuzzInput(data, size));
  return 0;
}
