// SPDX-License-Identifier: MIT
#include "source/key_backend.h"

namespace watchq {

const std::vector<KeyBackendChoice>& key_backend_choices() {
  static const std::vector<KeyBackendChoice> kChoices = {};
  return kChoices;
}

}  // namespace watchq
