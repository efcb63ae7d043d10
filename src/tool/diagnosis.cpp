// SPDX-License-Identifier: MIT
#include "tool/diagnosis.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace watchq {
namespace {

using Weight = Finding::Weight;

std::string reason(int error) { return std::system_category().message(error); }

Finding no_daemon(const Surroundings& here) {
  const std::string& at = here.directory;
  Finding finding{Weight::problem, "daemon", "no daemon serves " + at,
                  "without watchqd nobody is told anything", start_command(here)};
  if (here.status_error == ENOTCONN) {
    finding.what = "the daemon that served " + at + " has died, and its mount is still there";
    finding.why = "every access below it fails with: " + reason(ENOTCONN);
  } else if (!here.directory_exists) {
    finding.what += ": there is no such directory";
    if (!here.has_unit) finding.command = "mkdir -p " + at + " && " + start_command(here);
  } else if (here.status_error == EACCES || here.status_error == EPERM) {
    finding.what = at + "/status cannot be read: " + reason(here.status_error);
    finding.why = "a daemon of another user may be mounted there, which serves that user alone";
    finding.command = "WATCHQ_MOUNT=$XDG_RUNTIME_DIR/watchq; watchqd --user";
  }
  return finding;
}

std::vector<Finding> diagnose_fuse(const Surroundings& here) {
  std::vector<Finding> findings;
  if (here.fuse_error != 0 && !here.status) {
    Finding finding{Weight::problem, "fuse-device",
                    "/dev/fuse cannot be opened: " + reason(here.fuse_error),
                    "watchqd serves its files by FUSE", "modprobe fuse"};
    if (here.is_in_container) {
      finding.command = "# start the container with --device /dev/fuse";
    } else if (here.has_fuse_device) {
      finding.command = "chmod 0666 /dev/fuse";
    }
    findings.push_back(std::move(finding));
  }
  if (!here.is_root && !here.has_fusermount && !here.status) {
    findings.push_back({Weight::problem, "fusermount", "fusermount3 is not installed",
                        "who is not root mounts with it", "apt-get install fuse3"});
  }
  return findings;
}

}  // namespace

std::string start_command(const Surroundings& here) {
  if (here.has_unit && here.directory == "/watchq") return "systemctl enable --now watchqd";
  return (here.is_root ? "watchqd " : "sudo watchqd ") + here.directory;
}

std::vector<Finding> diagnose(const Surroundings& here) {
  std::vector<Finding> findings;
  const auto add = [&](std::vector<Finding> more) {
    findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  };
  if (here.status) {
    add(diagnose_daemon(here));
  } else {
    add({no_daemon(here)});
  }
  add(diagnose_fuse(here));
  add(diagnose_features(here));
  add(diagnose_limits(here));
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& one, const Finding& other) {
    return one.weight < other.weight;
  });
  return findings;
}

}  // namespace watchq
