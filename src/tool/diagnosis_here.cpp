// SPDX-License-Identifier: MIT
// What kernel, rights and limits tell to a doctor.
#include <linux/capability.h>

#include <algorithm>
#include <utility>

#include "tool/diagnosis.h"

namespace watchq {
namespace {

using Weight = Finding::Weight;

/// What mends a feature that is missing, besides rights.
struct Remedy {
  const char* feature;
  const char* command;
};

constexpr Remedy kRemedies[] = {
    {"fuse", "modprobe fuse"},
    {"passthrough", "# Linux 6.9 or later with CONFIG_FUSE_PASSTHROUGH, and CAP_SYS_ADMIN"},
    {"mount-events", "# Linux 6.15 or later, and CAP_SYS_ADMIN"},
    {"mount-query", "# Linux 6.11 or later"},
    {"filesystem-errors", "# Linux 5.16 or later, and CAP_SYS_ADMIN"},
    {"tracepoints", "mount -t tracefs tracefs /sys/kernel/tracing"},
    {"quota-events", "modprobe quota_v2; # a kernel with CONFIG_QUOTA_NETLINK_INTERFACE"},
    {"peer-files", "# mount /proc without hidepid, and CAP_SYS_PTRACE for watchqd"},
};

/// The capabilities that the daemon's unit keeps and that sources need.
constexpr std::pair<unsigned int, const char*> kCapabilities[] = {
    {CAP_SYS_ADMIN, "SYS_ADMIN"},
    {CAP_SYS_PTRACE, "SYS_PTRACE"},
    {CAP_DAC_READ_SEARCH, "DAC_READ_SEARCH"},
    {CAP_SYS_CHROOT, "SYS_CHROOT"},
    {CAP_PERFMON, "PERFMON"},
    {CAP_SYS_RESOURCE, "SYS_RESOURCE"},
    {CAP_SETUID, "SETUID"},
    {CAP_SETGID, "SETGID"},
    {CAP_KILL, "KILL"},
};

std::string remedy_of(const Surroundings& here, const Feature& feature) {
  // Without root nearly all are refused, and one thing mends them.
  if (!here.is_root) return "sudo watchq doctor";
  for (const Remedy& remedy : kRemedies) {
    if (feature.name == remedy.feature) return remedy.command;
  }
  return "watchqd --print-features";
}

void add_capabilities(const Surroundings& here, std::vector<Finding>& findings) {
  if (!here.is_root) return;
  std::string lacking;
  std::string options;
  for (const auto& [number, name] : kCapabilities) {
    if ((here.capabilities >> number & 1) != 0) continue;
    lacking += (lacking.empty() ? "CAP_" : ", CAP_") + std::string(name);
    options += std::string(" --cap-add ") + name;
  }
  if (lacking.empty()) return;
  findings.push_back({Weight::note, "capabilities", "root here has not " + lacking,
                      "a watchqd that is started here sees less",
                      here.is_in_container ? "# start the container with" + options
                                           : "# start watchqd with these capabilities"});
}

void add_seccomp(const Surroundings& here, std::vector<Finding>& findings) {
  const bool refused =
      std::any_of(here.features.begin(), here.features.end(), [](const Feature& f) {
        return f.missing.find("not permitted") != std::string::npos ||
               f.missing.find("not implemented") != std::string::npos;
      });
  if (!here.has_seccomp_filter || !refused) return;
  findings.push_back({Weight::note, "seccomp", "a seccomp filter is in force here",
                      "it may be what refuses system calls that watchqd uses",
                      "# start the container with --security-opt seccomp=unconfined"});
}

struct Limit {
  const char* name;
  const char* sysctl;
  std::optional<std::uint64_t> value;
  std::uint64_t wanted;
  const char* why;
};

}  // namespace

std::vector<Finding> diagnose_features(const Surroundings& here) {
  std::vector<Finding> findings;
  for (const Feature& feature : here.features) {
    if (feature.missing.empty()) continue;
    // What a daemon that runs does without, it tells itself.
    if (here.status && !here.is_root) continue;
    findings.push_back({Weight::note, "feature-" + feature.name,
                        feature.name + " is not there: " + feature.missing,
                        "it is for " + feature.purpose, remedy_of(here, feature)});
  }
  add_capabilities(here, findings);
  add_seccomp(here, findings);
  return findings;
}

std::vector<Finding> diagnose_limits(const Surroundings& here) {
  std::vector<Finding> findings;
  constexpr std::uint64_t kFiles = 32768;  // max_queues when nobody says otherwise
  if (here.open_files < kFiles) {
    findings.push_back(
        {Weight::note, "open-files",
         "a process started here may open " + std::to_string(here.open_files) + " files",
         "each queue takes one of watchqd's: max_queues (32768) is not reached",
         "ulimit -Hn 65536; # of the unit: LimitNOFILE=65536"});
  }
  const Limit limits[] = {
      {"inotify-instances", "fs.inotify.max_user_instances", here.inotify_instances, 16,
       "watchqd needs one to notice superblocks that go"},
      {"inotify-watches", "fs.inotify.max_user_watches", here.inotify_watches, 8192,
       "watchqd needs one for each watched superblock"},
      {"fanotify-groups", "fs.fanotify.max_user_groups", here.fanotify_groups, 16,
       "watchqd needs one for each mount namespace of its clients"},
      {"fanotify-marks", "fs.fanotify.max_user_marks", here.fanotify_marks, 8192,
       "watchqd needs one for each watched superblock"},
      {"fanotify-queue", "fs.fanotify.max_queued_events", here.fanotify_queue, 16384,
       "a storm of mounts overflows it, and has then to be looked up"},
  };
  for (const Limit& limit : limits) {
    if (!limit.value || *limit.value >= limit.wanted) continue;
    findings.push_back(
        {Weight::note, limit.name,
         std::string(limit.sysctl) + " is " + std::to_string(*limit.value), limit.why,
         std::string("sysctl -w ") + limit.sysctl + '=' + std::to_string(limit.wanted)});
  }
  return findings;
}

}  // namespace watchq
