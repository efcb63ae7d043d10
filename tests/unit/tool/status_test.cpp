// SPDX-License-Identifier: MIT
// The daemon's status in readable form, and how the command ends.
#include "tool/status.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/unique_fd.h"
#include "tool/failure.h"
#include "tool/read_file.h"
#include "tool/tool_main.h"

namespace watchq {
namespace {

TEST(Outline, ShowsEachValueOnALineOfItsOwnByDepth) {
  const auto document = nlohmann::ordered_json::parse(R"({
    "version": "1.2", "mount_point": "/watchq", "sources": {
      "mount": {"backend": "fanotify", "in_use": true, "why_not_better": null},
      "key": {"backends": ["pipe", "poll"], "none": []}},
    "queues": [{"id": 1, "lost": 0}, {"id": 2, "lost": 7}]})");
  EXPECT_EQ(outline(document),
            "version: 1.2\n"
            "mount point: /watchq\n"
            "sources:\n"
            "  mount:\n"
            "    backend: fanotify\n"
            "    in use: yes\n"
            "    why not better: none\n"
            "  key:\n"
            "    backends:\n"
            "      - pipe\n"
            "      - poll\n"
            "    none: none\n"
            "queues:\n"
            "  - id: 1\n"
            "    lost: 0\n"
            "  - id: 2\n"
            "    lost: 7\n");
}

/// Runs the command with a directory in the daemon's place.
class StatusTest : public testing::Test {
 protected:
  StatusTest() {
    std::string name = testing::TempDir() + "watchq.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw_errno("mkdtemp");
    directory_ = name;
  }
  ~StatusTest() override { std::filesystem::remove_all(directory_); }

  void write_status(const std::string& text) { std::ofstream(directory_ / "status") << text; }

  ExitStatus run(std::vector<std::string> arguments) {
    const auto create = [&](const char* name) {
      return UniqueFd(::open((directory_ / name).c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
    };
    const UniqueFd output = create("output");
    const UniqueFd error = create("error");
    return tool_main(arguments, Output(output.get()), Output(error.get()));
  }
  ExitStatus status(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"status", "--watchq", directory_});
    return run(options);
  }
  std::string printed() { return read_file(directory_ / "output"); }
  std::string said() { return read_file(directory_ / "error"); }

  std::filesystem::path directory_;
};

TEST_F(StatusTest, IsPrintedReadableOrAsItIs) {
  const std::string document = R"({"transport":"passthrough","queues":2})";
  write_status(document);
  EXPECT_EQ(status(), ExitStatus::done);
  EXPECT_EQ(printed(), "transport: passthrough\nqueues: 2\n");
  EXPECT_EQ(status({"--json"}), ExitStatus::done);
  EXPECT_EQ(printed(), document);
}

TEST_F(StatusTest, WithoutADaemonTellsHowToStartIt) {
  EXPECT_EQ(status(), ExitStatus::no_daemon);
  EXPECT_NE(said().find("watchqd " + directory_.string()), std::string::npos);
  EXPECT_EQ(printed(), "");
}

TEST_F(StatusTest, MonitorWithoutADaemonEndsTheSameWay) {
  EXPECT_EQ(run({"monitor", "--watchq", directory_}), ExitStatus::no_daemon);
  EXPECT_NE(said().find("watchqd " + directory_.string()), std::string::npos);
  std::ofstream(directory_ / "queue") << "no queue";
  EXPECT_EQ(run({"monitor", "--watchq", directory_}), ExitStatus::no_daemon);
}

TEST_F(StatusTest, ThatIsNoJsonIsAFailureThatNamesTheFile) {
  write_status("Name: bash\n");
  EXPECT_EQ(status(), ExitStatus::failed);
  EXPECT_NE(said().find((directory_ / "status").string()), std::string::npos);
}

TEST_F(StatusTest, AFullDiskIsAFailureAndAReaderThatHasGoneIsNot) {
  write_status("{}");
  const UniqueFd full(::open("/dev/full", O_WRONLY));
  const std::vector<std::string> arguments = {"status", "--json", "--watchq", directory_};
  const UniqueFd null(::open("/dev/null", O_WRONLY));
  EXPECT_EQ(tool_main(arguments, Output(full.get()), Output(null.get())), ExitStatus::failed);

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd writing(ends[1]);
  UniqueFd(ends[0]).reset();
  ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(tool_main(arguments, Output(writing.get()), Output(null.get())), ExitStatus::done);
}

TEST_F(StatusTest, WrongUsageIsSaidAndNothingIsPrinted) {
  EXPECT_EQ(run({"monitor", "--count", "many"}), ExitStatus::wrong_usage);
  EXPECT_NE(said().find("--count"), std::string::npos);
  EXPECT_EQ(printed(), "");
}

TEST(CannotOpen, TellsADaemonThatIsNotThereFromOtherTrouble) {
  for (const int error : {ENOENT, ENOTDIR, ENOTCONN, ECONNABORTED, EINVAL}) {
    EXPECT_EQ(cannot_open("/w", "queue", error).status(), ExitStatus::no_daemon);
  }
  const Failure refused = cannot_open("/w", "queue", EACCES);
  EXPECT_EQ(refused.status(), ExitStatus::failed);
  EXPECT_STREQ(refused.what(), "cannot open /w/queue: Permission denied");
}

}  // namespace
}  // namespace watchq
