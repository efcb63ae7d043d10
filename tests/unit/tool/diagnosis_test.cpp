// SPDX-License-Identifier: MIT
// What a doctor finds in surroundings that are made up.
#include "tool/diagnosis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace watchq {
namespace {

/// Where nothing is wrong.
Surroundings healthy() {
  Surroundings here;
  here.directory = "/watchq";
  here.version = "1.0";
  here.status = nlohmann::ordered_json::parse(R"({
    "version": "1.0", "transport": "passthrough",
    "sources": {"mounts": {"backend": "fanotify"}},
    "limits": {"queues": {"refusals": 0}, "pages": {"refusals": 0}},
    "counters": {"records_lost": 0, "mount_overflows": 0}})");
  here.directory_exists = true;
  here.is_root = true;
  here.has_fuse_device = true;
  here.has_fusermount = true;
  here.capabilities = ~std::uint64_t{0};
  here.kernel = "6.18.0";
  here.features = {{"fuse", "serving the files", ""}};
  here.open_files = 65536;
  here.inotify_instances = 128;
  here.inotify_watches = 65536;
  here.fanotify_groups = 128;
  here.fanotify_marks = 65536;
  here.fanotify_queue = 16384;
  return here;
}

/// The finding of a name; there must be one.
Finding found(const Surroundings& here, const std::string& name) {
  const auto findings = diagnose(here);
  const auto finding = std::find_if(findings.begin(), findings.end(),
                                    [&](const Finding& each) { return each.name == name; });
  if (finding == findings.end()) {
    ADD_FAILURE() << "nothing is said of " << name;
    return {};
  }
  EXPECT_FALSE(finding->what.empty() || finding->why.empty() || finding->command.empty());
  return *finding;
}

bool is_problem(const Finding& finding) { return finding.weight == Finding::Weight::problem; }

TEST(Doctor, WhereNothingIsWrongNothingIsSaid) { EXPECT_TRUE(diagnose(healthy()).empty()); }

TEST(Doctor, ADaemonThatIsNotThereIsStartedAsTheMachineDoes) {
  Surroundings here = healthy();
  here.status.reset();
  here.status_error = ENOENT;
  EXPECT_TRUE(is_problem(found(here, "daemon")));
  EXPECT_EQ(found(here, "daemon").command, "watchqd /watchq");
  here.directory_exists = false;
  EXPECT_EQ(found(here, "daemon").command, "mkdir -p /watchq && watchqd /watchq");
  here.has_unit = true;
  EXPECT_EQ(found(here, "daemon").command, "systemctl enable --now watchqd");
  here.has_unit = false;
  here.is_root = false;
  here.directory_exists = true;
  EXPECT_EQ(found(here, "daemon").command, "sudo watchqd /watchq");
}

TEST(Doctor, ADeadMountIsNamed) {
  Surroundings here = healthy();
  here.status.reset();
  here.status_error = ENOTCONN;
  EXPECT_NE(found(here, "daemon").what.find("died"), std::string::npos);
}

TEST(Doctor, AnotherVersionIsAProblem) {
  Surroundings here = healthy();
  here.version = "2.0";
  EXPECT_TRUE(is_problem(found(here, "version")));
  EXPECT_EQ(found(here, "version").command, "umount /watchq && watchqd /watchq");
}

TEST(Doctor, WhatTheDaemonDoesLessWellIsANoteWithItsReason) {
  Surroundings here = healthy();
  (*here.status)["transport_why_no_better"] = "the kernel offers no FUSE passthrough";
  (*here.status)["sources"]["mounts"] = {{"backend", "mountinfo"}, {"why_no_better", "too old"}};
  EXPECT_FALSE(is_problem(found(here, "transport")));
  EXPECT_NE(found(here, "source-mounts").what.find("'mountinfo': too old"), std::string::npos);
}

TEST(Doctor, LossesAndRefusalsAreCounted) {
  Surroundings here = healthy();
  (*here.status)["counters"] = {{"records_lost", 7}, {"mount_overflows", 2}};
  (*here.status)["limits"]["queues"]["refusals"] = 3;
  EXPECT_NE(found(here, "records-lost").what.find("7 records"), std::string::npos);
  EXPECT_NE(found(here, "mount-overflows").command.find("max_queued_events"), std::string::npos);
  EXPECT_TRUE(is_problem(found(here, "limit-queues")));
}

TEST(Doctor, AFuseDeviceThatIsMissingIsMendedWhereItIs) {
  Surroundings here = healthy();
  here.status.reset();
  here.status_error = ENOENT;
  here.fuse_error = ENOENT;
  here.has_fuse_device = false;
  EXPECT_EQ(found(here, "fuse-device").command, "modprobe fuse");
  here.is_in_container = true;
  EXPECT_NE(found(here, "fuse-device").command.find("--device /dev/fuse"), std::string::npos);
  here.is_root = false;
  here.has_fusermount = false;
  EXPECT_EQ(found(here, "fusermount").command, "apt-get install fuse3");
}

TEST(Doctor, RightsThatAContainerLacksAreNamed) {
  Surroundings here = healthy();
  here.is_in_container = true;
  here.has_seccomp_filter = true;
  here.capabilities &= ~(std::uint64_t{1} << 21);  // CAP_SYS_ADMIN
  here.features.push_back({"mount-events", "mounts", "fanotify_init: Operation not permitted"});
  EXPECT_NE(found(here, "capabilities").command.find("--cap-add SYS_ADMIN"), std::string::npos);
  EXPECT_NE(found(here, "feature-mount-events").what.find("not permitted"), std::string::npos);
  found(here, "seccomp");
}

TEST(Doctor, LimitsThatAreTooLowAreRaised) {
  Surroundings here = healthy();
  here.inotify_instances = 4;
  here.open_files = 1024;
  here.fanotify_marks.reset();  // not on this kernel
  EXPECT_EQ(found(here, "inotify-instances").command, "sysctl -w fs.inotify.max_user_instances=16");
  EXPECT_NE(found(here, "open-files").what.find("1024"), std::string::npos);
  EXPECT_EQ(diagnose(here).size(), 2U);
}

TEST(Doctor, ProblemsComeFirst) {
  Surroundings here = healthy();
  here.open_files = 1024;
  here.version = "2.0";
  (*here.status)["counters"]["records_lost"] = 7;
  EXPECT_EQ(diagnose(here).front().name, "version");
}

}  // namespace
}  // namespace watchq
