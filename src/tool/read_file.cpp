// SPDX-License-Identifier: MIT
#include "tool/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/unique_fd.h"

namespace watchq {

std::string read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw_errno(path);
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got == 0) return text;
    if (got > 0) {
      text.append(part.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw_errno(path);
    }
  }
}

}  // namespace watchq
