// SPDX-License-Identifier: MIT
#include "tool/options.h"

#include <watchq/watchq.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>
#include <system_error>

#include "tool/failure.h"
#include "version.h"

namespace watchq {
namespace {

constexpr const char* kAbout =
    "Watches what happens to mounts and filesystems, told by the daemon watchqd as it happens.";

constexpr const char* kExitStatus =
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not there, 124 timed out.\n";

constexpr const char* kExamples =
    "Examples:\n"
    "  watchq monitor       every mount, unmount and filesystem error, until Ctrl-C\n"
    "  watchq status        what the daemon can see on this kernel, and how\n"
    "'watchq COMMAND --help' tells more.\n\n";

constexpr const char* kMonitorExamples =
    "With nothing named: the mounts below / and the filesystems of all of them.\n\n"
    "A line of text: when, the mount point ('?' where it cannot be told; the path is looked up "
    "when\n"
    "the record is read) or the PATH of --sb, what happened, the IDs as in /proc/self/mountinfo "
    "and\n"
    "below DIR/superblocks, the tag (which --mount it was, from 0, then which --sb), and 'below' "
    "when\n"
    "it was not the watched mount itself. Where records were lost a line says LOST.\n\n"
    "Examples:\n"
    "  watchq monitor --mount /srv --mount /media\n"
    "  watchq monitor --key @u    your own keyring, and the keys in it\n"
    "  watchq monitor --sb /var   errors of the filesystem that /var is on\n"
    "  watchq monitor --json --count 1 --timeout 30 || echo 'no change in 30 s'\n\n";

constexpr const char* kStatusExamples =
    "Examples:\n"
    "  watchq status\n"
    "  watchq status --json | jq .version\n\n";

// Tags are 8 bits.
constexpr std::size_t kMaxWatches = 256;

/// The whole text as a number. Not by CLI11: it takes 010 for 8, and what is too large for the
/// largest.
template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string check_seconds(const std::string& text) {
  const auto seconds = number<double>(text);
  // Written so that what is no number fails too.
  if (seconds && *seconds >= 0 && *seconds <= 1e9) return {};
  return "SECONDS is a number from 0 to 1000000000, not " + text;
}

std::string check_count(const std::string& text) {
  const auto count = number<std::uint64_t>(text);
  if (count && *count > 0) return {};
  return "N is a whole number from 1, not " + text;
}

/// "10%" or "500M".
std::optional<FreeThreshold> free_threshold(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::string digits = text.substr(0, text.size() - 1);
  if (text.back() == '%') {
    const auto percent = number<double>(digits);
    if (!percent || !(*percent >= 0.0001 && *percent <= 100)) return std::nullopt;
    return FreeThreshold{WATCHQ_SPACE_FREE_SHARE,
                         static_cast<std::uint64_t>(std::llround(*percent * 10'000))};
  }
  constexpr std::string_view kUnits = "KMGT";
  const auto unit = kUnits.find(text.back());
  const std::size_t shift = unit == std::string_view::npos ? 0 : 10 * (1 + unit);
  const auto value = number<std::uint64_t>(shift == 0 ? text : digits);
  if (!value || *value == 0 || *value > (~std::uint64_t{0} >> shift)) return std::nullopt;
  return FreeThreshold{WATCHQ_SPACE_FREE_BYTES, *value << shift};
}

std::string check_free(const std::string& text) {
  if (free_threshold(text)) return {};
  return "FREE is a share of the filesystem as in 10%, or bytes as in 4096, 64K, 500M, 2G or 1T, "
         "not " +
         text;
}

/// A serial number, or one of the names that keyctl(1) has for a process's own keyrings.
std::optional<NamedKey> named_key(const std::string& text) {
  constexpr std::array<std::string_view, 8> kSpecial{"@t",  "@p", "@s", "@u",
                                                     "@us", "@g", "@a", "@r"};
  const auto* const special = std::find(kSpecial.begin(), kSpecial.end(), text);
  if (special != kSpecial.end()) {
    return NamedKey{text, -1 - static_cast<std::int32_t>(special - kSpecial.begin())};
  }
  auto serial = number<std::int32_t>(text);
  if (text.starts_with("0x")) {
    std::int32_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    if (error == std::errc() && end == text.data() + text.size()) serial = value;
  }
  if (!serial || *serial <= 0) return std::nullopt;
  return NamedKey{text, *serial};
}

std::string check_key(const std::string& text) {
  if (named_key(text)) return {};
  return "ID is the serial number of a key, as in 1234 or 0x4d2, or a keyring of your own: @s, @u, "
         "@us, @p, @t, not " +
         text;
}

void add_directory(CLI::App& command, std::string& directory) {
  directory = WATCHQ_DEFAULT_MOUNT;
  command.add_option("--watchq", directory, "Where the daemon is mounted")
      ->type_name("DIR")
      ->envname("WATCHQ_MOUNT")
      ->capture_default_str();
}

/// The command line as CLI11 sees it, and where it puts what it finds.
struct Parser {
  CLI::App app{kAbout, "watchq"};
  MonitorOptions monitor_options;
  StatusOptions status_options;
  std::string seconds;
  std::string free;
  std::string count;
  std::vector<std::string> keys;
  CLI::App* monitor;
  CLI::App* status;

  Parser()
      : monitor(app.add_subcommand("monitor", "Print records as they come, a line each")),
        status(app.add_subcommand("status", "Tell how the daemon does")) {
    app.require_subcommand(1);
    app.set_version_flag("--version", "watchq " WATCHQ_VERSION, "Print the version and end");
    for (CLI::App* command : {&app, monitor, status}) {
      command->set_help_flag("-h,--help", "Print this and end");
    }
    app.footer(std::string(kExamples) + kExitStatus);
    add_monitor();
    add_status();
  }

  void add_monitor() {
    monitor
        ->add_option("--mount", monitor_options.mounts,
                     "Watch the mounts at and below PATH; again for more")
        ->type_name("PATH")
        ->allow_extra_args(false);
    monitor
        ->add_option("--sb", monitor_options.superblocks,
                     "Watch the filesystem that holds PATH: errors, read-only; again for more")
        ->type_name("PATH")
        ->allow_extra_args(false);
    monitor->add_flag("--all-sb", monitor_options.all_superblocks,
                      "Watch the filesystems of all mounts, of those to come too");
    monitor
        ->add_option("--free", free,
                     "Tell also when less than FREE (10%, 500M) of those filesystems is free, and "
                     "when it no longer is")
        ->type_name("FREE")
        ->check(check_free);
    monitor
        ->add_option("--key", keys,
                     "Watch the key or keyring with this serial number, or @s, @u, @us; a keyring "
                     "with the keys in it; again for more")
        ->type_name("ID")
        ->check(check_key)
        ->allow_extra_args(false);
    monitor->add_flag("--json", monitor_options.json, "Print a JSON object a line");
    monitor->add_option("--count", count, "End after N records")
        ->type_name("N")
        ->check(check_count);
    monitor
        ->add_option("--timeout", seconds,
                     "End after SECONDS; with --count that is a failure (124)")
        ->type_name("SECONDS")
        ->check(check_seconds);
    add_directory(*monitor, monitor_options.directory);
    monitor->footer(std::string(kMonitorExamples) + kExitStatus);
  }

  void add_status() {
    status->add_flag("--json", status_options.json, "Print the daemon's JSON document as it is");
    add_directory(*status, status_options.directory);
    status->footer(std::string(kStatusExamples) + kExitStatus);
  }

  Command result() {
    if (status->parsed()) return status_options;
    const std::size_t named = monitor_options.mounts.size() + monitor_options.superblocks.size() +
                              keys.size() + (monitor_options.all_superblocks ? 1 : 0);
    for (const std::string& key : keys) monitor_options.keys.push_back(*named_key(key));
    if (named == 0) {
      monitor_options.mounts = {"/"};
      monitor_options.all_superblocks = true;
    }
    if (named > kMaxWatches) {
      throw Failure(ExitStatus::wrong_usage,
                    "--mount, --sb and --key may be given up to 256 times");
    }
    monitor_options.free = free_threshold(free);
    if (monitor_options.free && monitor_options.superblocks.empty() &&
        !monitor_options.all_superblocks) {
      throw Failure(ExitStatus::wrong_usage, "--free needs --sb or --all-sb");
    }
    monitor_options.count = number<std::uint64_t>(count);
    if (const auto timeout = number<double>(seconds)) {
      monitor_options.timeout = std::chrono::milliseconds(std::llround(*timeout * 1000));
    }
    return monitor_options;
  }
};

std::string complaint(const CLI::ParseError& error, const std::vector<std::string>& arguments,
                      const Parser& parser) {
  std::string command = "watchq";
  if (parser.monitor->parsed()) command += " monitor";
  if (parser.status->parsed()) command += " status";
  std::string text = error.what();
  // CLI11 finds a command missing before it looks at what stands in its place.
  const bool no_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (no_command && !arguments.empty()) text = "there is no command '" + arguments.front() + "'";
  return text + " (see: " + command + " --help)";
}

}  // namespace

Command parse_options(const std::vector<std::string>& arguments) {
  Parser parser;
  try {
    // CLI11 takes a vector from its back.
    parser.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    if (error.get_exit_code() == 0) {
      parser.app.exit(error, text, text);
      return Information{text.str()};
    }
    throw Failure(ExitStatus::wrong_usage, complaint(error, arguments, parser));
  }
  return parser.result();
}

}  // namespace watchq
