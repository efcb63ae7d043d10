// SPDX-License-Identifier: MIT
// The subcommands as the parser of the command line sees them.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "tool/options.h"

namespace watchq {

/// A subcommand: its options, and where the parser puts what it finds. Owned by who parses; the
/// parser points into it.
class CommandLine {
 public:
  CommandLine(CLI::App& all, const std::string& name, const std::string& what)
      : app_(*all.add_subcommand(name, what)) {
    app_.set_help_flag("-h,--help", "Print this and end");
  }
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  virtual ~CommandLine() = default;

  CLI::App& app() { return app_; }
  /// What was asked for, once it was parsed. Throws Failure(wrong_usage).
  virtual Command result() = 0;

 protected:
  /// --watchq, the last option of each.
  void add_directory(std::string& directory);
  /// What stands below the options; the exit status comes last.
  void set_footer(const std::string& text);

 private:
  CLI::App& app_;
};

/// What each command may end with, in words.
inline constexpr const char* kExitStatus =
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not there, 124 timed out.\n";

std::unique_ptr<CommandLine> add_monitor(CLI::App& all);
std::unique_ptr<CommandLine> add_status(CLI::App& all);
std::unique_ptr<CommandLine> add_ls(CLI::App& all);
std::unique_ptr<CommandLine> add_top(CLI::App& all);
std::unique_ptr<CommandLine> add_doctor(CLI::App& all);
std::unique_ptr<CommandLine> add_inject(CLI::App& all);

}  // namespace watchq
