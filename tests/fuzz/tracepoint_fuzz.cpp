// SPDX-License-Identifier: MIT
// The text that says what a tracepoint records, and what it recorded.
//
// Input: the text, a NUL, the record.
#include <algorithm>
#include <array>

#include "fuzz/fuzz_input.h"
#include "kernel/tracepoint.h"

namespace watchq {
namespace {

void tracepoint(std::span<const std::uint8_t> input) {
  const auto end = std::find(input.begin(), input.end(), 0);
  const std::string_view text(reinterpret_cast<const char*>(input.data()),
                              static_cast<std::size_t>(end - input.begin()));
  const auto raw = std::as_bytes(input.subspan(text.size()));
  const TraceFormat format = parse_trace_format(text);
  require(format.fields.size() <=
              1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
          "no more fields than lines");
  for (const auto& [name, field] : format.fields) {
    const std::uint64_t number = trace_number(raw, field);
    const bool is_there =
        field.size <= 8 && field.offset <= raw.size() && field.size <= raw.size() - field.offset;
    require(is_there || number == 0, "nothing is read that is not there");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::tracepoint({data, size});
  return 0;
}
