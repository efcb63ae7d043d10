// SPDX-License-Identifier: MIT
// The options of all commands but monitor.
#include "tool/command_line.h"
#include "tool/failure.h"
#include "tool/option_values.h"

namespace watchq {
namespace {

class StatusLine : public CommandLine {
 public:
  explicit StatusLine(CLI::App& all) : CommandLine(all, "status", "Tell how the daemon does") {
    app().add_flag("--json", options_.json, "Print the daemon's JSON document as it is");
    add_directory(options_.directory);
    set_footer(
        "Examples:\n"
        "  watchq status\n"
        "  watchq status --json | jq .version\n");
  }
  Command result() override { return options_; }

 private:
  StatusOptions options_;
};

class LsLine : public CommandLine {
 public:
  explicit LsLine(CLI::App& all)
      : CommandLine(all, "ls", "List the mounts as a tree, hidden ones too, with their IDs") {
    app()
        .add_option("PATH", path_, "Only the mounts at and below it")
        ->type_name("")
        ->option_text(" ");
    app().add_flag("--superblocks", options_.superblocks,
                   "List the filesystems in place of the mounts");
    app().add_flag("--json", options_.json, "Print one JSON array, of the daemon's documents");
    add_directory(options_.directory);
    set_footer(
        "A line for each mount: its ID as in /proc/self/mountinfo and the records, its mount\n"
        "point in the tree of mounts, type, source, attributes, and the ID of its superblock.\n"
        "'[hidden]' marks a mount that no path leads to: another one lies on it, or on a "
        "directory\n"
        "above it.\n\n"
        "Examples:\n"
        "  watchq ls /srv\n"
        "  watchq ls --json | jq '.[] | select(.hidden) | .mount_point'\n"
        "  watchq ls --superblocks\n");
  }
  Command result() override {
    if (!path_.empty()) options_.path = path_;
    return options_;
  }

 private:
  LsOptions options_;
  std::string path_;
};

class TopLine : public CommandLine {
 public:
  explicit TopLine(CLI::App& all)
      : CommandLine(all, "top", "Show who watches what, how much comes and what is lost") {
    app().add_flag("--once", options_.once, "Print one screen and end");
    app()
        .add_option("-n,--count", count_, "End after N screens")
        ->type_name("N")
        ->check(check_count);
    app()
        .add_option("-d,--delay", delay_, "SECONDS between two screens; 2 when not said")
        ->type_name("SECONDS")
        ->check(check_seconds);
    app().add_flag("--json", options_.json, "Print a JSON object for each screen, a line each");
    add_directory(options_.directory);
    set_footer(
        "On a terminal the screen is drawn anew until Ctrl-C or q; else screens follow each "
        "other.\n"
        "Rates are for each second since the screen before. Queues of others are shown to root.\n\n"
        "Examples:\n"
        "  watchq top\n"
        "  watchq top -n 2 -d 10   the rates of ten seconds, in the second screen\n"
        "  watchq top --once --json | jq .records_lost\n");
  }
  Command result() override {
    options_.count = number<std::uint64_t>(count_);
    if (const auto delay = duration(delay_)) options_.delay = *delay;
    if (options_.once) options_.count = 1;
    return options_;
  }

 private:
  TopOptions options_;
  std::string count_;
  std::string delay_;
};

class DoctorLine : public CommandLine {
 public:
  explicit DoctorLine(CLI::App& all)
      : CommandLine(all, "doctor", "Find what is missing here, and say what mends it") {
    app().add_flag("--json", options_.json, "Print one JSON object");
    add_directory(options_.directory);
    set_footer(
        "Looks at the daemon, its place, this kernel, the rights and limits here. Ends with 0 "
        "when\n"
        "nothing is wrong, with 1 when something is; what is only less than could be is a note.\n\n"
        "Examples:\n"
        "  watchq doctor\n"
        "  watchq doctor --json | jq -r '.findings[].command'\n");
  }
  Command result() override { return options_; }

 private:
  DoctorOptions options_;
};

class InjectLine : public CommandLine {
 public:
  explicit InjectLine(CLI::App& all)
      : CommandLine(all, "inject", "Put a record into a queue, and print what comes out of it") {
    app().add_option("TYPE", type_, "Type of the record: a name or number")->type_name("");
    app().add_option("SUBTYPE", subtype_, "Subtype: a name or number")->type_name("");
    app()
        .add_option("PAYLOAD", payload_,
                    "What follows the header, in hexadecimal; zeroes when not said")
        ->type_name("");
    app().get_option("TYPE")->required();
    app().get_option("SUBTYPE")->required();
    app().add_option("--tag", tag_, "The record's tag, 0 to 255")->type_name("N");
    app()
        .add_option("--flags", flags_, "The type's flags, 0 to 255: 1 is FLAG_0 as in 'read-only'")
        ->type_name("N");
    app()
        .add_option("--only", words_, "Give the queue a filter of these events first")
        ->type_name("EVENT")
        ->allow_extra_args(false)
        ->check(check_words);
    app().add_flag("--json", options_.json, "Print a JSON object");
    add_directory(options_.directory);
    set_footer(
        "The queue is a new one of its own, so nobody else is told. For trying filters and "
        "parsers:\n"
        "prints the record's bytes as they lay in the ring, and what they mean. Ends with 1 when\n"
        "the filter let nothing through.\n\n"
        "Examples:\n"
        "  watchq inject mount readonly --flags 1\n"
        "  watchq inject superblock error 2a000000000000000500000001000000\n"
        "  watchq inject mount unmount --only mounted   refused by the filter\n");
  }
  Command result() override;

 private:
  InjectOptions options_;
  std::string type_;
  std::string subtype_;
  std::string payload_;
  std::string tag_ = "0";
  std::string flags_ = "0";
  std::vector<std::string> words_;
};

[[noreturn]] void refuse(const std::string& text) {
  throw Failure(ExitStatus::wrong_usage, text + " (see: watchq inject --help)");
}

/// Bytes of a payload of zeroes: what the type's records have.
std::size_t usual_payload(std::uint32_t type, std::uint32_t subtype) {
  constexpr std::size_t kHeader = sizeof(watch_notification);
  switch (type) {
    case WATCH_TYPE_META:
      return 0;
    case WATCH_TYPE_SB_NOTIFY:
      return subtype == NOTIFY_SUPERBLOCK_ERROR ? sizeof(superblock_error_notification) - kHeader
                                                : sizeof(superblock_notification) - kHeader;
    case WATCHQ_TYPE_SPACE:
      return sizeof(watchq_space_notification) - kHeader;
    default:
      return sizeof(mount_notification) - kHeader;
  }
}

Command InjectLine::result() {
  constexpr std::size_t kMaxPayload = WATCH_INFO_LENGTH - sizeof(watch_notification);
  const auto type = record_type(type_);
  if (!type) refuse("TYPE is mount, superblock, key, space, meta or a number, not " + type_);
  const auto subtype = record_subtype(*type, subtype_);
  if (!subtype) refuse(type_ + " has no subtype " + subtype_);
  options_.type = *type;
  options_.subtype = *subtype;
  if (payload_.empty()) {
    options_.payload.assign(usual_payload(*type, *subtype), 0);
  } else {
    const auto payload = hex_bytes(payload_);
    if (!payload || payload->size() % 8 != 0 || payload->size() > kMaxPayload) {
      refuse("PAYLOAD is a multiple of 8 bytes up to 496, two hexadecimal digits each, not " +
             payload_);
    }
    options_.payload = *payload;
  }
  const auto tag = number<std::uint8_t>(tag_);
  if (!tag) refuse("--tag: N is a whole number from 0 to 255, not " + tag_);
  options_.tag = *tag;
  const auto flags = number<std::uint8_t>(flags_);
  if (!flags) refuse("--flags: N is a whole number from 0 to 255, not " + flags_);
  options_.flags = *flags;
  options_.filter = filter_of({}, words_);
  return options_;
}

}  // namespace

std::unique_ptr<CommandLine> add_status(CLI::App& all) { return std::make_unique<StatusLine>(all); }
std::unique_ptr<CommandLine> add_ls(CLI::App& all) { return std::make_unique<LsLine>(all); }
std::unique_ptr<CommandLine> add_top(CLI::App& all) { return std::make_unique<TopLine>(all); }
std::unique_ptr<CommandLine> add_doctor(CLI::App& all) { return std::make_unique<DoctorLine>(all); }
std::unique_ptr<CommandLine> add_inject(CLI::App& all) { return std::make_unique<InjectLine>(all); }

}  // namespace watchq
