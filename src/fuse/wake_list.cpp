// SPDX-License-Identifier: MIT
#include "fuse/wake_list.h"

#include <algorithm>

namespace watchq {

void WakeList::remove(Wakeable* due) {
  std::replace(due_.begin(), due_.end(), due, static_cast<Wakeable*>(nullptr));
}

void WakeList::wake_all() {
  // Whoever becomes due meanwhile comes at the end.
  for (std::size_t at = 0; at < due_.size(); ++at) {
    if (due_[at] != nullptr) due_[at]->wake_now();
  }
  due_.clear();
}

}  // namespace watchq
