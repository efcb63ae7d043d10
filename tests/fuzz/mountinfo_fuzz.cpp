// SPDX-License-Identifier: MIT
// The parser of mountinfo on arbitrary text: each mount comes from one line, and the parser of one
// superblock's mounts finds the same.
#include <algorithm>

#include "fuzz/fuzz_input.h"
#include "kernel/mountinfo.h"

namespace watchq {
namespace {

void mountinfo(std::string_view text) {
  const auto infos = parse_mountinfo(text);
  require(infos.size() <= 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
          "no more mounts than lines");
  for (const MountInfo& info : infos) {
    require(info.mount == info.id && info.parent == info.parent_id, "there are no other IDs");
    require(info.mount_point.size() <= text.size(), "a path is no longer than the text");
    static_cast<void>(device_number(info.device));
  }
  if (infos.empty()) return;
  const std::string& device = infos.back().device;
  const auto with_device = [&](const MountInfo& info) { return info.device == device; };
  require(superblock_mounts(text, device).mounts.size() ==
              static_cast<std::size_t>(std::count_if(infos.begin(), infos.end(), with_device)),
          "both find the same");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::mountinfo({reinterpret_cast<const char*>(data), size});
  return 0;
}
