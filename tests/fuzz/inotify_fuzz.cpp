// SPDX-License-Identifier: MIT
// What inotify says, on arbitrary bytes: events, and the text of its fdinfo.
#include <algorithm>

#include "fuzz/fuzz_input.h"
#include "kernel/inotify.h"
#include "kernel/superblock_trace.h"

namespace watchq {
namespace {

constexpr std::size_t kLeastEvent = 16;

void inotify(std::span<const std::uint8_t> input) {
  const auto bytes = std::as_bytes(input);
  const auto changes = decode_directory_changes(bytes);
  require(changes.size() <= bytes.size() / kLeastEvent, "no more than can be in there");
  require(decode_trace_ends(bytes).size() <= changes.size(), "each end is an event");

  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto traces = parse_live_traces(text);
  require(traces.size() <= 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
          "no more traces than lines");
  require(std::all_of(traces.begin(), traces.end(), [](int trace) { return trace >= 0; }),
          "a trace has a number that inotify gives");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::inotify({data, size});
  return 0;
}
