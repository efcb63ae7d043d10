// SPDX-License-Identifier: MIT
// This program is its own probe, as watchqd is.
#include "source/probe_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "kernel/pidfd.h"
#include "kernel/probe_child.h"
#include "kernel/space_figures.h"
#include "kernel/start_self.h"

namespace watchq {
namespace {

dev_t device_of_proc() {
  struct stat stat {};
  EXPECT_EQ(::stat("/proc", &stat), 0);
  return stat.st_dev;
}

/// Runs until the condition holds or nothing is left to wait for; gtest's time limit ends a hang.
template <typename Condition>
void run_until(boost::asio::io_context& io, Condition condition) {
  while (!condition() && io.run_one() != 0) {
  }
}

/// This thread, and what it starts, take turns.
class OnOneProcessor {
 public:
  OnOneProcessor() {
    EXPECT_EQ(::sched_getaffinity(0, sizeof before_, &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  }
  OnOneProcessor(const OnOneProcessor&) = delete;
  OnOneProcessor& operator=(const OnOneProcessor&) = delete;
  ~OnOneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

std::optional<ProbeAnswer> ask(boost::asio::io_context& io, ProbeProcess& probe, dev_t device) {
  std::optional<ProbeAnswer> got;
  bool told = false;
  probe.ask(device, [&](const std::optional<ProbeAnswer>& answer) {
    got = answer;
    told = true;
  });
  run_until(io, [&] { return told; });
  return got;
}

TEST(ProbeProcess, AsksByDevice) {
  boost::asio::io_context io;
  ProbeProcess probe(io, spawn_probe({}), false);
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(io, probe, device_of_proc());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, 0);
    EXPECT_EQ(answer->device, device_of_proc());
  }
}

TEST(ProbeProcess, SaysThatThereIsNoSuchDevice) {
  boost::asio::io_context io;
  ProbeProcess probe(io, spawn_probe({}), false);
  const auto answer = ask(io, probe, makedev(4000, 1));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, EINVAL);
}

TEST(ProbeProcess, TellsOfItsEnd) {
  boost::asio::io_context io;
  SpawnedProbe spawned = spawn_probe({});
  send_signal(spawned.process.get(), SIGKILL);
  ProbeProcess probe(io, std::move(spawned), false);
  EXPECT_FALSE(ask(io, probe, device_of_proc()));
  EXPECT_FALSE(ask(io, probe, device_of_proc())) << "and again, to each question";
}

TEST(ProbeProcess, IsReapedWhenItIsNotWantedAnyMore) {
  boost::asio::io_context io;
  auto probe = std::make_unique<ProbeProcess>(io, spawn_probe({}), false);
  const std::weak_ptr<void> life = probe->life();
  probe.reset();
  EXPECT_FALSE(life.expired());
  io.run();
  EXPECT_TRUE(life.expired());
}

TEST(ProbeProcess, SaysWhyAMountCannotBeReached) {
  const UniqueFd space(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  ProbeSetup setup;
  setup.how = ProbeSetup::How::by_mount;
  setup.device = makedev(4000, 1);
  const SpawnedProbe probe = spawn_probe(setup, space.get());
  const int error = await_probe(probe, 30'000);
  // Entering a namespace, be it one's own, takes a right that not everybody has.
  EXPECT_TRUE(error == ENOENT || (error == EPERM && ::geteuid() != 0)) << error;
}

/// A child that is preempted before it begins would hold for so long what it has copies of.
TEST(ProbeProcess, HoldsNoneOfOurDescriptorsFromItsFirstMomentOn) {
  const OnOneProcessor preempted;
  for (int i = 0; i < 200; ++i) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    const SpawnedProbe probe = spawn_probe({});
    writing.reset();
    char byte = 0;
    ASSERT_EQ(::read(reading.get(), &byte, 1), 0) << "still open elsewhere, at start " << i;
  }
}

}  // namespace
}  // namespace watchq

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == watchq::kProbeArgument) {
    return watchq::run_probe(STDIN_FILENO);
  }
  watchq::prepare_to_start_self();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
