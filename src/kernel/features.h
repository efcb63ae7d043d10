// SPDX-License-Identifier: MIT
// FeatureProbe: what this kernel and our rights give, found by trying.
#pragma once

#include <string>
#include <vector>

namespace watchq {

struct Feature {
  std::string name;
  std::string purpose;  ///< what watchqd does with it
  std::string missing;  ///< why it is not there; empty when it is
};

/// Tries each feature once and leaves nothing behind. Takes some milliseconds.
std::vector<Feature> probe_features();

}  // namespace watchq
