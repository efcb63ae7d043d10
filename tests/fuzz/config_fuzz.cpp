// SPDX-License-Identifier: MIT
// Arbitrary bytes as a configuration file: refused with the file's name and a reason, or taken.
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include "daemon/config.h"
#include "fuzz/fuzz_input.h"

namespace watchq {
namespace {

/// One file for all runs: it is written anew for each.
int config_file() {
  static const int kFile = ::memfd_create("config", MFD_CLOEXEC);
  return kFile;
}

void config(std::span<const std::uint8_t> text) {
  const int file = config_file();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  require(::ftruncate(file, 0) == 0, "the file is empty");
  require(::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
          "the file is written");
  try {
    const Config read = read_config(path);
    Config known;
    static_cast<void>(update_config(known, read));
    require(update_config(known, read).empty(), "what was taken over is no change any more");
  } catch (const std::runtime_error& error) {
    require(std::string_view(error.what()).starts_with(path), "the file is named");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::config({data, size});
  return 0;
}
