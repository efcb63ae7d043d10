// SPDX-License-Identifier: MIT
#include "kernel/descriptor_limit.h"

#include <sys/resource.h>

#include <fstream>

namespace watchq {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlim_t highest = limit.rlim_max;
  std::ifstream("/proc/sys/fs/nr_open") >> highest;
  const rlimit all{highest, highest};
  if (::setrlimit(RLIMIT_NOFILE, &all) != 0) {
    const rlimit allowed{limit.rlim_max, limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &allowed);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace watchq
