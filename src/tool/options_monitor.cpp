// SPDX-License-Identifier: MIT
// The options of `watchq monitor`.
#include "tool/command_line.h"
#include "tool/failure.h"
#include "tool/option_values.h"
#include "tool/path_state.h"

namespace watchq {
namespace {

// Tags are 8 bits.
constexpr std::size_t kMaxWatches = 256;

constexpr const char* kWhat =
    "With nothing named: the mounts below / and the filesystems of all of them.\n\n"
    "A line of text: when, the mount point ('?' where it cannot be told) or the PATH of --sb, "
    "what\n"
    "happened, the IDs as in /proc/self/mountinfo and below DIR/superblocks, the tag (which\n"
    "--mount it was, from 0, then which --sb), and 'below' when it was not the watched mount\n"
    "itself. 'already' is what --snapshot tells, 'meanwhile' what was found after a gap. Where\n"
    "records were lost a line says LOST, and what is missing is looked up and follows.\n\n";

constexpr const char* kExec =
    "--exec runs CMD by sh -c, one at a time and in order, in place of the line: each member of\n"
    "the JSON line is in its environment (WATCHQ_PATH, WATCHQ_TYPE, WATCHQ_SUBTYPE, ...), the\n"
    "line itself on its standard input. A loss is an event too (WATCHQ_TYPE=lost). When a CMD\n"
    "fails that is said, and watchq ends with 1 in the end.\n\n";

constexpr const char* kUntil =
    "--until prints what happens until EVENT, and ends with 0. With --mount, the events mounted,\n"
    "unmounted, ro (or readonly) and rw are states: it ends as soon as each PATH is a mount "
    "point,\n"
    "is none, or is on a read-only or writable mount; at once where that is so already. PATH need\n"
    "not exist yet. A trouble that a filesystem of --sb has already ends it at once, too. Any\n"
    "other EVENT must happen after the start.\n\n";

constexpr const char* kMonitorExamples =
    "Examples:\n"
    "  watchq monitor --mount /srv --mount /media\n"
    "  watchq monitor --key @u    your own keyring, and the keys in it\n"
    "  watchq monitor --sb /var   errors of the filesystem that /var is on\n"
    "  watchq monitor --only ro,error,full --exec 'mail -s \"$WATCHQ_PATH\" root'\n"
    "  watchq monitor --mount /data --until mounted --timeout 60 && start-the-database\n"
    "  watchq monitor --json --count 1 --timeout 30 || echo 'no change in 30 s'\n";

std::string words_in_lines() {
  std::string text = "EVENT is one of (several with commas):\n";
  for (const EventWord& word : event_words()) {
    text += "  " + word.name + std::string(word.name.size() < 14 ? 14 - word.name.size() : 1, ' ') +
            word.meaning + '\n';
  }
  return text + '\n';
}

class MonitorLine : public CommandLine {
 public:
  explicit MonitorLine(CLI::App& all)
      : CommandLine(all, "monitor", "Print what happens as it happens, a line each") {
    add_watches();
    add_selection();
    add_form();
    add_end();
    add_directory(options_.directory);
    set_footer(std::string(kWhat) + words_in_lines() + kUntil + kExec + kMonitorExamples);
  }

  Command result() override {
    options_.filter = filter_of(types_, words_);
    options_.free = free_threshold(free_);
    options_.count = number<std::uint64_t>(count_);
    options_.timeout = duration(seconds_);
    options_.colour = *colour_mode(colour_);
    if (!exec_.empty()) options_.exec = exec_;
    // Nobody waits for one or the other.
    if (until_ == "readonly") until_ = "ro";
    if (!until_.empty()) options_.until = *find_event_word(until_);
    options_.reconnect = !no_reconnect_;
    // Without a PATH it is the next event that is meant.
    if (options_.until && !options_.mounts.empty()) {
      options_.until_state = find_path_state(until_);
    }
    for (const std::string& key : keys_) options_.keys.push_back(*named_key(key));
    complete_watches();
    return options_;
  }

 private:
  void add_watches() {
    app()
        .add_option("--mount", options_.mounts,
                    "Watch the mounts at and below PATH; again for more")
        ->type_name("PATH")
        ->allow_extra_args(false);
    app()
        .add_option("--sb", options_.superblocks,
                    "Watch the filesystem that holds PATH: errors, read-only; again for more")
        ->type_name("PATH")
        ->allow_extra_args(false);
    app()
        .add_option(
            "--key", keys_,
            "Watch the key or keyring with serial number ID, or @s, @u, @us; a keyring with "
            "the keys in it; again for more")
        ->type_name("ID")
        ->check(check_key)
        ->allow_extra_args(false);
    app().add_flag("--all-sb", options_.all_superblocks,
                   "Watch the filesystems of all mounts, of those to come too");
    app()
        .add_option("--free", free_,
                    "Tell also when less than FREE (10%, 500M) of those filesystems is free, and "
                    "when it no longer is")
        ->type_name("FREE")
        ->check(check_free);
  }

  void add_selection() {
    app()
        .add_option("--type", types_, "Only events of TYPE: mount, superblock, key, space")
        ->type_name("TYPE")
        ->allow_extra_args(false)
        ->check(check_types);
    app()
        .add_option("--only", words_, "Only these events: ro,error (the list is below)")
        ->type_name("EVENT")
        ->allow_extra_args(false)
        ->check(check_words);
    app()
        .add_option("--under", options_.under, "Only events at or below PATH; again for more")
        ->type_name("PATH")
        ->allow_extra_args(false);
    app().add_flag("--snapshot", options_.snapshot, "First what is there already, then changes");
  }

  void add_form() {
    app().add_flag("--json", options_.json, "Print a JSON object a line");
    app()
        .add_option("--color", colour_,
                    "Colours: auto (on a terminal, without NO_COLOR), always or never")
        ->type_name("WHEN")
        ->check(check_colour);
    app().add_option("--exec", exec_, "Run the shell command CMD for each event")->type_name("CMD");
  }

  void add_end() {
    app()
        .add_option("--until", until_, "End when EVENT comes, or when PATH is so already")
        ->type_name("EVENT")
        ->check(check_word);
    app().add_option("--count", count_, "End after N events")->type_name("N")->check(check_count);
    app()
        .add_option("--timeout", seconds_,
                    "End after SECONDS; with --count or --until that is a failure (124)")
        ->type_name("SECONDS")
        ->check(check_seconds);
    app().add_flag("--no-reconnect", no_reconnect_,
                   "When the daemon goes, end with 3 and do not wait until it is back");
  }

  /// What is watched where nothing was named, and what cannot be.
  void complete_watches() {
    const std::size_t named = options_.mounts.size() + options_.superblocks.size() +
                              options_.keys.size() + (options_.all_superblocks ? 1 : 0);
    // A state takes a watch of its own.
    if (named + (options_.until_state ? 1 : 0) > kMaxWatches) {
      throw Failure(ExitStatus::wrong_usage,
                    "--mount, --sb and --key may be given up to 256 times");
    }
    if (options_.free && options_.superblocks.empty() && !options_.all_superblocks && named != 0) {
      throw Failure(ExitStatus::wrong_usage, "--free needs --sb or --all-sb");
    }
    if (named != 0) return;
    options_.mounts = {"/"};
    options_.all_superblocks = true;
  }

  MonitorOptions options_;
  std::vector<std::string> keys_;
  std::vector<std::string> types_;
  std::vector<std::string> words_;
  std::string colour_ = "auto";
  std::string free_;
  std::string exec_;
  std::string until_;
  std::string count_;
  std::string seconds_;
  bool no_reconnect_ = false;
};

}  // namespace

std::unique_ptr<CommandLine> add_monitor(CLI::App& all) {
  return std::make_unique<MonitorLine>(all);
}

}  // namespace watchq
