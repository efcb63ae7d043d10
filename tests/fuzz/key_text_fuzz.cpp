// SPDX-License-Identifier: MIT
// What the kernel says of keys as text: /proc/keys, and what describes one key.
#include <algorithm>

#include "fuzz/fuzz_input.h"
#include "kernel/keyctl.h"

namespace watchq {
namespace {

void key_text(std::string_view text) {
  const auto lines = parse_key_lines(text);
  require(lines.size() <= 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
          "no more keys than lines");
  for (const KeyLine& line : lines) {
    require(line.expires_in >= -1 && line.expiry_unit > 0, "it never expires, or in some time");
    require(line.described.description.size() + line.summary.size() <= text.size(),
            "text comes from the text");
  }
  if (const auto described = parse_key_description(text)) {
    require(described->type.size() + described->description.size() <= text.size(),
            "text comes from the text");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::key_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
