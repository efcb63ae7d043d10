// SPDX-License-Identifier: MIT
#include "hostile/attacker.h"

#include <fcntl.h>

#include <array>

namespace watchq {

std::uint64_t Attacker::odd_number() {
  const std::uint64_t power = std::uint64_t{1} << below(64);
  switch (below(6)) {
    case 0:
      return below(32);
    case 1:
      return power;
    case 2:
      return power - 1;
    case 3:
      return power + below(16);
    case 4:
      return draw() & 0xffffffff;
    default:
      return draw();
  }
}

std::uint64_t Attacker::any_of(std::span<const std::uint64_t> flags) {
  std::uint64_t set = 0;
  for (const std::uint64_t flag : flags) {
    if (chance(30)) set |= flag;
  }
  return set;
}

UniqueFd Attacker::open_queue(int flags) {
  return UniqueFd(::open(queue_path().c_str(), flags | O_CLOEXEC));
}

int Attacker::any_object(int queue) {
  switch (below(8)) {
    case 0:
      return queue;
    case 1:
      return -1;
    case 2:
      return AT_FDCWD;
    case 3:
      return static_cast<int>(below(64));
    case 4:
      return static_cast<int>(odd_number());
    default:
      return target_.base_fd;
  }
}

std::span<const Attack> attacks() {
  static constexpr std::array kAll = {
      Attack{"scribble", scribble},
      Attack{"map_oddly", map_oddly},
      Attack{"use_files_oddly", use_files_oddly},
      Attack{"name_oddly", name_oddly},
      Attack{"list_oddly", list_oddly},
      Attack{"call_anything", call_anything},
      Attack{"call_ours", call_ours},
      Attack{"race_arguments", race_arguments},
      Attack{"stall_arguments", stall_arguments},
      Attack{"watch_and_forget", watch_and_forget},
      Attack{"pass_descriptors", pass_descriptors},
      Attack{"crowd_polls", crowd_polls},
      Attack{"read_and_be_interrupted", read_and_be_interrupted},
      Attack{"move_house", move_house},
  };
  static_assert(kAll.size() <= kAttacks);
  return kAll;
}

}  // namespace watchq
