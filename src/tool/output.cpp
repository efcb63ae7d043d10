// SPDX-License-Identifier: MIT
#include "tool/output.h"

#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace watchq {

void Output::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      throw_errno("cannot write the output");
    }
  }
}

}  // namespace watchq
