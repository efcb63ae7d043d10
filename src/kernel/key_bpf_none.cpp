// SPDX-License-Identifier: MIT
// For builds without libbpf, clang and bpftool.
#include <cerrno>
#include <system_error>

#include "kernel/key_bpf.h"

namespace watchq {

class KeyPrograms::Loaded {};

KeyPrograms::KeyPrograms() {
  throw std::system_error(EOPNOTSUPP, std::system_category(),
                          "this watchqd was built without programs for the kernel (BPF)");
}
KeyPrograms::~KeyPrograms() = default;
void KeyPrograms::want(bool /*wanted*/) {}
// NOLINTBEGIN(readability-convert-member-functions-to-static): those with programs are not
int KeyPrograms::fd() const { return -1; }
KeyPrograms::Taken KeyPrograms::take() { return {}; }
// NOLINTEND(readability-convert-member-functions-to-static)

}  // namespace watchq
