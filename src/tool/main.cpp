// SPDX-License-Identifier: MIT
// The command watchq: the process around tool_main().
#include <unistd.h>

#include <csignal>

#include "tool/tool_main.h"

int main(int argc, char** argv) {
  // A reader that goes away is an error of write().
  std::signal(SIGPIPE, SIG_IGN);
  return static_cast<int>(watchq::tool_main({argv + 1, argv + argc}, watchq::Output(STDOUT_FILENO),
                                            watchq::Output(STDERR_FILENO)));
}
