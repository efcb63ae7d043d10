// SPDX-License-Identifier: MIT
// The command watchq, apart from the process it runs in.
#pragma once

#include <string>
#include <vector>

#include "tool/failure.h"
#include "tool/output.h"

namespace watchq {

/// Does what the arguments say, the program's name not among them. Throws nothing.
ExitStatus tool_main(const std::vector<std::string>& arguments, Output output, Output error);

}  // namespace watchq
