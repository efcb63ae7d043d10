// SPDX-License-Identifier: MIT
#include "tool/options.h"

#include <watchq/watchq.h>

#include <sstream>

#include "tool/command_line.h"
#include "tool/failure.h"
#include "version.h"

namespace watchq {

namespace {

constexpr const char* kAbout =
    "Watches what happens to mounts and filesystems, told by the daemon watchqd as it happens.";

constexpr const char* kExamples =
    "Examples:\n"
    "  watchq monitor       every mount, unmount and filesystem error, until Ctrl-C\n"
    "  watchq status        what the daemon can see on this kernel, and how\n"
    "  watchq doctor        what is missing here, and what mends it\n"
    "'watchq COMMAND --help' tells more.\n\n";

/// The command line as CLI11 sees it.
struct Parser {
  CLI::App app{kAbout, "watchq"};
  std::vector<std::unique_ptr<CommandLine>> commands;

  Parser() {
    app.require_subcommand(1);
    app.set_version_flag("--version", "watchq " WATCHQ_VERSION, "Print the version and end");
    app.set_help_flag("-h,--help", "Print this and end");
    app.footer(std::string(kExamples) + kExitStatus);
    for (const auto add : {add_monitor, add_status, add_ls, add_top, add_doctor, add_inject}) {
      commands.push_back(add(app));
    }
  }

  /// The command that was named, or nullptr.
  [[nodiscard]] CommandLine* named() const {
    for (const auto& command : commands) {
      if (command->app().parsed()) return command.get();
    }
    return nullptr;
  }
};

std::string complaint(const CLI::ParseError& error, const std::vector<std::string>& arguments,
                      const Parser& parser) {
  std::string command = "watchq";
  if (CommandLine* named = parser.named()) command += ' ' + named->app().get_name();
  std::string text = error.what();
  // CLI11 finds a command missing before it looks at what stands in its place.
  const bool no_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (no_command && parser.named() == nullptr && !arguments.empty()) {
    text = "there is no command '" + arguments.front() + "'";
  }
  return text + " (see: " + command + " --help)";
}

}  // namespace

void CommandLine::add_directory(std::string& directory) {
  directory = WATCHQ_DEFAULT_MOUNT;
  app_.add_option("--watchq", directory, "Where the daemon is mounted")
      ->type_name("DIR")
      ->envname("WATCHQ_MOUNT")
      ->capture_default_str();
}

void CommandLine::set_footer(const std::string& text) { app_.footer(text + '\n' + kExitStatus); }

Command parse_options(const std::vector<std::string>& arguments) {
  Parser parser;
  try {
    // CLI11 takes a vector from its back.
    parser.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return parser.named()->result();
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    if (error.get_exit_code() == 0) {
      parser.app.exit(error, text, text);
      return Information{text.str()};
    }
    throw Failure(ExitStatus::wrong_usage, complaint(error, arguments, parser));
  }
}

}  // namespace watchq
