// SPDX-License-Identifier: MIT
// Diagnosis: what is wrong in some surroundings, or less than it could be.
#pragma once

#include <string>
#include <vector>

#include "tool/surroundings.h"

namespace watchq {

struct Finding {
  enum class Weight {
    problem,  ///< it does not work
    note,     ///< it works, with less than could be had
  };
  Weight weight = Weight::note;
  std::string name;     ///< one word, stable
  std::string what;     ///< what was found
  std::string why;      ///< why that matters
  std::string command;  ///< what mends it; a comment where no command does
};

/// Pure. The gravest first.
std::vector<Finding> diagnose(const Surroundings& here);

/// What in the daemon's own account is less than it could be. Pure.
std::vector<Finding> diagnose_daemon(const Surroundings& here);
/// What the kernel and our rights do not give. Pure.
std::vector<Finding> diagnose_features(const Surroundings& here);
/// Limits that are too low. Pure.
std::vector<Finding> diagnose_limits(const Surroundings& here);

/// How the daemon is started here. Pure.
std::string start_command(const Surroundings& here);

}  // namespace watchq
