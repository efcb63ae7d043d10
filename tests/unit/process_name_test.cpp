// SPDX-License-Identifier: MIT
#include "kernel/process_name.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace watchq {
namespace {

TEST(ProcessName, IsWhatTheStatusFileSays) {
  const ProcessName name = parse_process_status(
      "Name:\ta b\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\n");
  EXPECT_EQ(name.comm, "a b");
  EXPECT_EQ(name.uid, 1000u);
}

TEST(ProcessName, IsNotKnownWhereTheTextHasNone) {
  for (const char* text : {"", "\n\n", "Uid:\tx\n", "Nam", "xName:\ta\n"}) {
    const ProcessName name = parse_process_status(text);
    EXPECT_EQ(name.comm, "");
    EXPECT_FALSE(name.uid);
  }
}

TEST(ProcessName, OfOurselvesIsOurs) {
  NamedProcess self(::getpid());
  std::string comm;
  std::getline(std::ifstream("/proc/self/comm"), comm);
  EXPECT_EQ(self.name().comm, comm);
  EXPECT_EQ(self.name().uid, ::getuid());
}

TEST(ProcessName, OfNoProcessIsNotKnown) {
  const ProcessName name = name_process(0x7FFFFFFF);
  EXPECT_EQ(name.comm, "");
  EXPECT_FALSE(name.uid);
}

}  // namespace
}  // namespace watchq
