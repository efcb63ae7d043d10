// SPDX-License-Identifier: MIT
// --exec, and the states of paths that --until asks for.
#include "tool/command_runner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tool/path_state.h"
#include "tool/read_file.h"

namespace watchq {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

class CommandRunnerTest : public testing::Test {
 protected:
  CommandRunnerTest() {
    std::string name = testing::TempDir() + "watchq.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp");
    directory_ = name;
  }
  ~CommandRunnerTest() override { std::filesystem::remove_all(directory_); }

  CommandRunner::End run(const std::string& command, const Json& object = Json::object()) {
    return runner_.emplace("cd " + directory_.string() + "; " + command, signals_)
        .run(object, deadline_);
  }
  std::string written() { return read_file(directory_ / "out"); }

  std::filesystem::path directory_;
  EndSignals signals_;
  std::optional<CommandRunner> runner_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

TEST_F(CommandRunnerTest, TheEventIsInTheEnvironmentAndOnTheStandardInput) {
  const Json object = {{"path", "/a b"}, {"read_only", true}, {"error", 5}};
  EXPECT_EQ(
      run("{ echo \"$WATCHQ_PATH,$WATCHQ_READ_ONLY,$WATCHQ_ERROR\"; cat; } > out", object).status,
      0);
  EXPECT_EQ(written(), "/a b,true,5\n" + object.dump() + '\n');
}

TEST_F(CommandRunnerTest, WhoDoesNotReadItsInputDoesNotHinder) {
  // More than a pipe holds.
  EXPECT_EQ(run("exec <&-; true", {{"path", std::string(100'000, 'x')}}).status, 0);
}

TEST_F(CommandRunnerTest, TheExitStatusIsTheShells) {
  EXPECT_EQ(run("true").status, 0);
  EXPECT_EQ(runner_->failures(), 0U);
  EXPECT_EQ(run("exit 7").status, 7);
  EXPECT_EQ(runner_->failures(), 1U);
  EXPECT_EQ(run("kill -KILL $$").status, 128 + SIGKILL);
  EXPECT_EQ(run("no-such-program-anywhere 2> out").status, 127);
}

TEST_F(CommandRunnerTest, SignalsAreAsTheyWereBefore) {
  ::signal(SIGPIPE, SIG_IGN);
  // A shell cannot trap what was ignored when it began.
  EXPECT_EQ(run("trap 'exit 9' PIPE; kill -PIPE $$; exit 1").status, 9);
  EXPECT_EQ(run("trap 'exit 9' TERM; kill -TERM $$; exit 1").status, 9);
}

TEST_F(CommandRunnerTest, ADeadlineEndsWhatRunsAndAllItStarted) {
  deadline_ = std::chrono::steady_clock::now() + 50ms;
  const auto end = run("sleep 1000 & echo $! > out; wait");
  EXPECT_TRUE(end.interrupted);
  EXPECT_EQ(end.status, 128 + SIGTERM);
  EXPECT_EQ(runner_->failures(), 0U);
  const pid_t child = std::stoi(written());
  // It is init's, or a container's, to be waited for: dead it is all the same.
  const auto state = [&]() -> std::string {
    try {
      const std::string text = read_file("/proc/" + std::to_string(child) + "/stat");
      return text.substr(text.rfind(')') + 2, 1);
    } catch (const std::system_error&) {
      return "gone";
    }
  };
  while (state() != "gone" && state() != "Z") ::usleep(1000);
}

TEST(Environment, HasAVariableForEachMember) {
  const Json object = {{"path", "/a"},
                       {"attributes", {"ro", "nosuid"}},
                       {"mount", 7},
                       {"snapshot", false},
                       {"pid", 12}};
  EXPECT_EQ(
      environment_of(object),
      (std::vector<std::string>{"WATCHQ_PATH=/a", "WATCHQ_ATTRIBUTES=ro,nosuid",
                                "WATCHQ_MOUNT_ID=7", "WATCHQ_SNAPSHOT=false", "WATCHQ_PID=12"}));
}

TEST(PathStates, OfWhatTheKernelSays) {
  EXPECT_TRUE(is_in_state(holder_of("/proc"), PathState::mounted));
  EXPECT_FALSE(is_in_state(holder_of("/proc/self"), PathState::mounted));
  EXPECT_TRUE(is_in_state(holder_of("/proc/self"), PathState::unmounted));
  EXPECT_TRUE(is_in_state(holder_of("/no/such/path"), PathState::unmounted));
  EXPECT_FALSE(is_in_state(holder_of("/no/such/path"), PathState::read_only));
  EXPECT_FALSE(is_in_state(holder_of("/no/such/path"), PathState::writable));
  const PathHolder holder = holder_of("/proc/self");
  ASSERT_TRUE(holder.mount);
  EXPECT_EQ(holder.mount->mount_point, "/proc");
  EXPECT_NE(is_in_state(holder, PathState::read_only), is_in_state(holder, PathState::writable));
}

TEST(PathStates, AFilesystemThatIsReadOnlyMakesItsMountsSo) {
  PathHolder holder{true, true, MountInfo{}};
  holder.mount->superblock_options = "rw,ro_something";
  EXPECT_TRUE(is_in_state(holder, PathState::writable));
  holder.mount->superblock_options = "ro,size=4k";
  EXPECT_TRUE(is_in_state(holder, PathState::read_only));
  holder.mount->superblock_options = "ro";
  EXPECT_TRUE(is_in_state(holder, PathState::read_only));
}

TEST(PathStates, PathsAreCompletedAsFarAsTheyExist) {
  EXPECT_EQ(canonical_path("/proc/../proc/no/such/"), "/proc/no/such");
  EXPECT_EQ(canonical_path("/"), "/");
  EXPECT_EQ(canonical_path("x"), std::filesystem::current_path().string() + "/x");
}

}  // namespace
}  // namespace watchq
