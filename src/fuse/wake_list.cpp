// SPDX-License-Identifier: MIT
#include "fuse/wake_list.h"

namespace watchq {

void WakeList::remove(Wakeable* due) { std::erase(due_, due); }

void WakeList::wake_all() {
  // Whoever becomes due meanwhile comes at the end.
  while (!due_.empty()) {
    Wakeable* const first = due_.front();
    due_.pop_front();
    first->wake_now();
  }
}

}  // namespace watchq
