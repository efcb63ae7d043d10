// SPDX-License-Identifier: MIT
// The line that is drawn while a snapshot comes.
#include "tool/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>

#include <array>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace watchq {
namespace {

class ProgressTest : public testing::Test {
 protected:
  ProgressTest() {
    int ours = -1;
    int theirs = -1;
    if (::openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) throw_errno("openpty");
    terminal_ = UniqueFd(ours);
    side_ = UniqueFd(theirs);
    ::fcntl(ours, F_SETFL, O_NONBLOCK);
  }

  /// What was drawn since the last call.
  std::string drawn() {
    std::array<char, 256> text;
    const ssize_t got = ::read(terminal_.get(), text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }

  UniqueFd terminal_, side_;
  UniqueFd null_{::open("/dev/null", O_WRONLY)};
};

TEST_F(ProgressTest, ASnapshotThatTakesLongIsCountedAndTheLineTakenAway) {
  const Output output(null_.get());
  const Output error(side_.get());
  Progress progress(output, error, true);
  std::string text;
  while ((text = drawn()).empty()) progress.count(true);
  EXPECT_EQ(text.find("\rwatchq: what is there already: "), 0U);
  progress.end();
  EXPECT_EQ(drawn(), "\r\033[K");
  progress.end();
  EXPECT_EQ(drawn(), "");
}

TEST_F(ProgressTest, NothingIsDrawnBesideTheLinesThemselvesOrOutsideOfTerminals) {
  const Output terminal(side_.get());
  const Output null(null_.get());
  for (auto [output, error] : {std::pair(&terminal, &terminal), std::pair(&null, &null)}) {
    Progress progress(*output, *error, true);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    while (std::chrono::steady_clock::now() < end) progress.count(true);
    progress.end();
    EXPECT_EQ(drawn(), "");
  }
}

}  // namespace
}  // namespace watchq
