// SPDX-License-Identifier: MIT
#include "kernel/confinement.h"

#include <cap-ng.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>

#include "base/error.h"

namespace watchq {
namespace {

constexpr std::array<unsigned int, 9> kNeeded = {
    CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_PERFMON, CAP_BPF,
    CAP_SETUID,    CAP_SETGID,     CAP_KILL};

}  // namespace

void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // Also where a program takes the dumps, which the limit does not keep from it.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void keep_needed_capabilities() {
  if (::capng_get_caps_process() != 0) throw_errno("reading the capabilities");
  std::array<bool, kNeeded.size()> had{};
  for (std::size_t at = 0; at < kNeeded.size(); ++at) {
    had[at] = ::capng_have_capability(CAPNG_PERMITTED, kNeeded[at]) == 1;
  }
  const bool may_bound = ::capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
  ::capng_clear(CAPNG_SELECT_BOTH);
  constexpr auto kSets = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
  for (std::size_t at = 0; at < kNeeded.size(); ++at) {
    if (had[at]) ::capng_update(CAPNG_ADD, kSets, kNeeded[at]);
    ::capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, kNeeded[at]);
  }
  // The bounding set first: that takes a capability that then goes.
  if (may_bound && ::capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
    throw_errno("dropping capabilities from the bounding set");
  }
  if (::capng_apply(CAPNG_SELECT_CAPS) != 0) throw_errno("dropping capabilities");
}

void forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw_errno("PR_SET_NO_NEW_PRIVS");
}

}  // namespace watchq
