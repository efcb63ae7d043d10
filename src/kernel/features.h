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

/// Tries each feature once and leaves nothing behind. Takes some milliseconds, where
/// programs can be loaded into the kernel up to a second.
std::vector<Feature> probe_features();

/// What a daemon can do with such features.
struct Ability {
  std::string name;  ///< one word
  std::string how;   ///< and how fast; empty where it cannot
};

/// Says how rings are shared, and how each kind of event is seen, with these features. Pure.
std::vector<Ability> abilities(const std::vector<Feature>& features);

}  // namespace watchq
