// SPDX-License-Identifier: MIT
// watchqd: options, then the daemon; nothing else.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "kernel/features.h"
#include "kernel/key_view_reader.h"
#include "kernel/probe_child.h"
#include "kernel/probe_protocol.h"
#include "kernel/start_self.h"
#include "version.h"

namespace {

constexpr const char* kDescription =
    "Tells programs what happens to mounts and filesystems: each open of MOUNTPOINT/queue is a\n"
    "private ring of records that a program maps, polls and reads. One daemon does the looking\n"
    "for all, and shows each client only what it may see. Stays in the foreground; ends on\n"
    "SIGTERM or SIGINT.";

constexpr const char* kFooter =
    "Examples:\n"
    "  mkdir -p /watchq && watchqd                serve on /watchq\n"
    "  watchqd --config /etc/watchqd.conf /run/q  with settings, elsewhere\n"
    "  watchqd --user                             without root: for this user alone\n"
    "  watchqd --print-features                   what this kernel gives\n"
    "\n"
    "Settings are one JSON object: watchqd.conf(5). SIGHUP has them read again.\n"
    "Exit codes: 0 ended as asked, 1 could not start or go on, 2 wrong usage.\n"
    "Once it says that it is ready, see what happens with: watchq monitor";

void print_features() {
  const std::vector<watchq::Feature> features = watchq::probe_features();
  for (const watchq::Feature& feature : features) {
    const bool there = feature.missing.empty();
    std::printf("%-17s %-3s  %s%s%s\n", feature.name.c_str(), there ? "yes" : "no",
                feature.purpose.c_str(), there ? "" : ": ", feature.missing.c_str());
  }
  std::puts("");
  for (const watchq::Ability& ability : watchq::abilities(features)) {
    std::printf("gives %-11s %s\n", ability.name.c_str(),
                ability.how.empty() ? "no" : ability.how.c_str());
  }
}

/// What the command line asks for.
struct Options {
  std::string mount_point;
  std::string config_path;
  watchq::Transport transport = watchq::Transport::automatic;
  watchq::MountBackend mount_backend = watchq::MountBackend::automatic;
  std::string key_backend = "auto";
  bool for_own_user = false;
  bool print_features = false;
};

constexpr const char* kDefaultMountPoint = "/watchq";

/// Where to mount when nothing else was said. For a user alone it is made, for everybody it must be
/// there.
std::string default_mount_point(bool for_own_user) {
  if (!for_own_user) return kDefaultMountPoint;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || *runtime == '\0') {
    throw std::runtime_error(
        "--user: XDG_RUNTIME_DIR is not set, which names the directory to mount in; set it, or "
        "name "
        "a MOUNTPOINT");
  }
  std::string path = std::string(runtime) + "/watchq";
  // What is wrong with it, if it is no directory of ours, mounting will tell.
  static_cast<void>(::mkdir(path.c_str(), 0700));
  return path;
}

void describe(CLI::App& app, Options& options) {
  app.footer(kFooter);
  app.set_version_flag("--version", "watchqd " WATCHQ_VERSION);
  app.add_option("MOUNTPOINT", options.mount_point, "directory to mount on")
      ->default_str(kDefaultMountPoint);
  app.add_option("--config", options.config_path, "JSON file with settings")->type_name("FILE");
  app.add_option("--transport", options.transport,
                 "how rings are shared with clients: auto, passthrough or pagecache")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, watchq::Transport>{{"auto", watchq::Transport::automatic},
                                                   {"passthrough", watchq::Transport::passthrough},
                                                   {"pagecache", watchq::Transport::pagecache}},
          CLI::ignore_case))
      ->type_name("TRANSPORT");
  app.add_option("--mount-backend", options.mount_backend,
                 "how mounts are watched: auto, fanotify or mountinfo")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, watchq::MountBackend>{
              {"auto", watchq::MountBackend::automatic},
              {"fanotify", watchq::MountBackend::fanotify},
              {"mountinfo", watchq::MountBackend::mountinfo}},
          CLI::ignore_case))
      ->type_name("BACKEND");
  app.add_option("--key-backend", options.key_backend,
                 "how keys are watched: auto, pipe, bpf, trace or poll")
      ->check(CLI::IsMember({"auto", "pipe", "bpf", "trace", "poll"}))
      ->type_name("BACKEND");
  app.add_flag("--user", options.for_own_user,
               "without root, for this user alone, on $XDG_RUNTIME_DIR/watchq");
  app.add_flag("--print-features", options.print_features,
               "say what this kernel and these rights give, and end");
}

int run(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("watchqd"));
  spdlog::set_pattern("watchqd: %v");
  Options options;
  CLI::App app(kDescription, "watchqd");
  describe(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.print_features) {
    print_features();
    return 0;
  }
  watchq::Config config;
  if (!options.config_path.empty()) config = watchq::read_config(options.config_path);
  config.mount_backend = options.mount_backend;
  config.keys.backend = options.key_backend;
  config.transport = options.transport;
  config.for_own_user = options.for_own_user;
  if (options.mount_point.empty()) options.mount_point = default_mount_point(options.for_own_user);
  watchq::run_daemon(options.mount_point, config);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // The daemon starts itself again to ask what may never answer.
    if (argc == 2 && std::string_view(argv[1]) == watchq::kProbeArgument) {
      return watchq::run_probe(STDIN_FILENO);
    }
    if (argc == 2 && std::string_view(argv[1]) == watchq::kViewReaderArgument) {
      return watchq::run_view_reader(STDIN_FILENO);
    }
    watchq::prepare_to_start_self();
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "watchqd: %s\n", error.what());
    return 1;
  }
}
