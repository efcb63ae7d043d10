// SPDX-License-Identifier: MIT
// The command line of watchq.
#include "tool/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "make_record.h"
#include "tool/failure.h"
#include "version.h"

namespace watchq {
namespace {

using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() { ::unsetenv("WATCHQ_MOUNT"); }
  ~OptionsTest() override { ::unsetenv("WATCHQ_MOUNT"); }
};

MonitorOptions monitor_options(Arguments arguments) {
  arguments.insert(arguments.begin(), "monitor");
  return std::get<MonitorOptions>(parse_options(arguments));
}

/// What is said about arguments that are wrong.
std::string complaint(const Arguments& arguments) {
  try {
    parse_options(arguments);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ExitStatus::wrong_usage);
    return failure.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

std::string information(const Arguments& arguments) {
  return std::get<Information>(parse_options(arguments)).text;
}

TEST_F(OptionsTest, MonitorWatchesTheRootWithoutEndUnlessToldOtherwise) {
  const MonitorOptions options = monitor_options({});
  EXPECT_EQ(options.directory, "/watchq");
  EXPECT_EQ(options.mounts, Arguments{"/"});
  EXPECT_TRUE(options.all_superblocks);
  EXPECT_FALSE(options.json);
  EXPECT_FALSE(options.count);
  EXPECT_FALSE(options.timeout);
}

TEST_F(OptionsTest, MonitorTakesAThresholdOfFreeSpace) {
  const auto free = [](const char* text) {
    return *monitor_options({"--sb", "/", "--free", text}).free;
  };
  EXPECT_FALSE(monitor_options({"--sb", "/"}).free);
  EXPECT_EQ(free("10%").kind, 2U);
  EXPECT_EQ(free("10%").value, 100'000U);
  EXPECT_EQ(free("0.5%").value, 5'000U);
  EXPECT_EQ(free("4096").kind, 1U);
  EXPECT_EQ(free("4096").value, 4096U);
  EXPECT_EQ(free("64K").value, 65536U);
  EXPECT_EQ(free("2T").value, std::uint64_t{2} << 40);
  for (const char* wrong : {"0", "0%", "101%", "-1", "x", "10%%", "99999999T", "K", "1k"}) {
    EXPECT_NE(complaint({"monitor", "--sb", "/", "--free", wrong}).find("FREE is"),
              std::string::npos)
        << wrong;
  }
  EXPECT_NE(complaint({"monitor", "--mount", "/", "--free", "1%"}).find("--free needs"),
            std::string::npos);
}

TEST_F(OptionsTest, MonitorTakesAllItsOptions) {
  const MonitorOptions options =
      monitor_options({"--mount", "/a", "--json", "--count", "3", "--mount=/b c", "--timeout",
                       "1.5", "--watchq", "/w"});
  EXPECT_EQ(options.directory, "/w");
  EXPECT_EQ(options.mounts, (Arguments{"/a", "/b c"}));
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.count, 3u);
  EXPECT_EQ(options.timeout, 1500ms);
}

TEST_F(OptionsTest, EachMountOptionTakesOnePath) {
  EXPECT_NE(complaint({"monitor", "--mount", "/a", "/b"}).find("/b"), std::string::npos);
}

TEST_F(OptionsTest, TheEnvironmentNamesTheDaemonsPlaceAndTheOptionIsStronger) {
  ::setenv("WATCHQ_MOUNT", "/elsewhere", 1);
  EXPECT_EQ(monitor_options({}).directory, "/elsewhere");
  EXPECT_EQ(std::get<StatusOptions>(parse_options({"status"})).directory, "/elsewhere");
  EXPECT_EQ(monitor_options({"--watchq", "/w"}).directory, "/w");
}

TEST_F(OptionsTest, NumbersThatMakeNoSenseAreRefusedByName) {
  for (const char* count : {"0", "-1", "1.5", "0x10", "x", "", "99999999999999999999"}) {
    EXPECT_NE(complaint({"monitor", "--count", count}).find("--count"), std::string::npos);
  }
  for (const char* timeout : {"-1", "nan", "inf", "1e30", "soon"}) {
    EXPECT_NE(complaint({"monitor", "--timeout", timeout}).find("--timeout"), std::string::npos);
  }
}

TEST_F(OptionsTest, MonitorWatchesSuperblocksAloneWhereTheyAloneAreNamed) {
  const MonitorOptions some = monitor_options({"--sb", "/a", "--sb=/b"});
  EXPECT_EQ(some.superblocks, (Arguments{"/a", "/b"}));
  EXPECT_TRUE(some.mounts.empty());
  EXPECT_FALSE(some.all_superblocks);
  const MonitorOptions all = monitor_options({"--all-sb"});
  EXPECT_TRUE(all.all_superblocks);
  EXPECT_TRUE(all.mounts.empty());
}

TEST_F(OptionsTest, ThereAreAsManyTagsAsMounts) {
  Arguments arguments = {"monitor"};
  for (int i = 0; i < 256; ++i) arguments.insert(arguments.end(), {"--mount", "/a"});
  EXPECT_EQ(std::get<MonitorOptions>(parse_options(arguments)).mounts.size(), 256u);
  arguments.insert(arguments.end(), {"--mount", "/a"});
  EXPECT_NE(complaint(arguments).find("256"), std::string::npos);
}

TEST_F(OptionsTest, EventsAreChosenByTypeAndWord) {
  const Record read_only = mount_record(NOTIFY_MOUNT_READONLY, 47, 0, WATCH_INFO_FLAG_0);
  const Record writable = mount_record(NOTIFY_MOUNT_READONLY, 47, 0);
  const Record gone = mount_record(NOTIFY_MOUNT_UNMOUNT, 1, 47);
  const EventFilter some = monitor_options({"--only", "ro,unmounted"}).filter;
  EXPECT_TRUE(some.passes(read_only));
  EXPECT_FALSE(some.passes(writable));
  EXPECT_TRUE(some.passes(gone));
  const EventFilter both = monitor_options({"--only", "readonly", "--only=error"}).filter;
  EXPECT_TRUE(both.passes(writable));
  EXPECT_FALSE(both.passes(gone));
  EXPECT_FALSE(monitor_options({"--type", "sb,key"}).filter.passes(gone));
  EXPECT_TRUE(monitor_options({}).filter.passes(gone));
}

TEST_F(OptionsTest, AWordThatIsNoneIsRefusedWithThoseThereAre) {
  const std::string text = complaint({"monitor", "--only", "ro,readnoly"});
  EXPECT_NE(text.find("'readnoly'"), std::string::npos);
  EXPECT_NE(text.find("readonly"), std::string::npos);
  EXPECT_NE(complaint({"monitor", "--until", "ro,rw"}).find("'ro,rw'"), std::string::npos);
  EXPECT_NE(complaint({"monitor", "--type", "mounts"}).find("'mounts'"), std::string::npos);
  EXPECT_NE(complaint({"monitor", "--only", ""}).find("--only"), std::string::npos);
}

TEST_F(OptionsTest, UntilIsOfAStateOnlyWhereAMountIsNamed) {
  EXPECT_EQ(monitor_options({"--mount", "/a", "--until", "mounted"}).until_state,
            PathState::mounted);
  EXPECT_EQ(monitor_options({"--mount", "/a", "--until", "readonly"}).until_state,
            PathState::read_only);
  EXPECT_FALSE(monitor_options({"--until", "mounted"}).until_state);
  EXPECT_FALSE(monitor_options({"--mount", "/a", "--until", "moved"}).until_state);
  EXPECT_EQ(monitor_options({"--until", "full"}).until->name, "full");
  EXPECT_EQ(monitor_options({"--sb", "/", "--until", "readonly"}).until->name, "ro");
}

TEST_F(OptionsTest, ColoursReconnectingAndCommands) {
  EXPECT_EQ(monitor_options({}).colour, ColourMode::automatic);
  EXPECT_EQ(monitor_options({"--color", "never"}).colour, ColourMode::never);
  EXPECT_NE(complaint({"monitor", "--color", "red"}).find("not red"), std::string::npos);
  EXPECT_TRUE(monitor_options({}).reconnect);
  EXPECT_FALSE(monitor_options({"--no-reconnect"}).reconnect);
  EXPECT_FALSE(monitor_options({}).exec);
  EXPECT_EQ(monitor_options({"--exec", "echo hi"}).exec, "echo hi");
}

TEST_F(OptionsTest, KeysAreNamedByNumberOrAsKeyctlDoes) {
  const MonitorOptions options =
      monitor_options({"--key", "1234", "--key", "0x4d2", "--key", "@u", "--key=@s"});
  ASSERT_EQ(options.keys.size(), 4U);
  EXPECT_EQ(options.keys[0].serial, 1234);
  EXPECT_EQ(options.keys[1].serial, 1234);
  EXPECT_EQ(options.keys[2].serial, -4);
  EXPECT_EQ(options.keys[3].serial, -3);
  EXPECT_TRUE(options.mounts.empty());
  for (const char* wrong : {"0", "@x", "", "0x", "99999999999", "12a"}) {
    EXPECT_NE(complaint({"monitor", "--key", wrong}).find("ID is"), std::string::npos) << wrong;
  }
}

TEST_F(OptionsTest, TopTakesADelayAndACount) {
  const auto top = [](Arguments arguments) {
    arguments.insert(arguments.begin(), "top");
    return std::get<TopOptions>(parse_options(arguments));
  };
  EXPECT_EQ(top({}).delay, 2000ms);
  EXPECT_FALSE(top({}).count);
  EXPECT_EQ(top({"--once"}).count, 1U);
  EXPECT_EQ(top({"-n", "3", "-d", "0.5"}).count, 3U);
  EXPECT_EQ(top({"-n", "3", "-d", "0.5"}).delay, 500ms);
}

TEST_F(OptionsTest, InjectMakesARecordOfNamesOrNumbers) {
  const auto injected = [](Arguments arguments) {
    arguments.insert(arguments.begin(), "inject");
    return std::get<InjectOptions>(parse_options(arguments));
  };
  const InjectOptions named = injected({"superblock", "error", "--tag", "7", "--flags", "1"});
  EXPECT_EQ(named.type, 2U);
  EXPECT_EQ(named.subtype, 1U);
  EXPECT_EQ(named.payload.size(), 16U);
  EXPECT_EQ(named.tag, 7U);
  EXPECT_EQ(named.flags, 1U);
  const InjectOptions numbered = injected({"0x800003", "200", "00ff 0102:0304 0506"});
  EXPECT_EQ(numbered.type, 0x800003U);
  EXPECT_EQ(numbered.subtype, 200U);
  EXPECT_EQ(numbered.payload, (std::vector<std::uint8_t>{0, 0xff, 1, 2, 3, 4, 5, 6}));
  for (const char* payload : {"0", "00", "zz00000000000000"}) {
    EXPECT_NE(complaint({"inject", "mount", "0", payload}).find("PAYLOAD"), std::string::npos);
  }
  EXPECT_NE(complaint({"inject", "mount", "cleared"}).find("no subtype"), std::string::npos);
  EXPECT_NE(complaint({"inject", "mount"}).find("SUBTYPE"), std::string::npos);
  EXPECT_NE(complaint({"inject", "mount", "0", "--tag", "256"}).find("--tag"), std::string::npos);
}

TEST_F(OptionsTest, AComplaintNamesWhatIsWrongAndWhereToReadMore) {
  EXPECT_NE(complaint({}).find("watchq --help"), std::string::npos);
  EXPECT_NE(complaint({"montior"}).find("'montior'"), std::string::npos);
  const std::string text = complaint({"monitor", "--jsno"});
  EXPECT_NE(text.find("--jsno"), std::string::npos);
  EXPECT_NE(text.find("watchq monitor --help"), std::string::npos);
}

TEST_F(OptionsTest, HelpTeachesByExampleAndTellsTheExitStatus) {
  for (const Arguments& arguments :
       {Arguments{"--help"}, Arguments{"monitor", "--help"}, Arguments{"status", "-h"},
        Arguments{"ls", "--help"}, Arguments{"top", "--help"}, Arguments{"doctor", "--help"},
        Arguments{"inject", "--help"}}) {
    const std::string text = information(arguments);
    EXPECT_NE(text.find("Examples:\n  watchq "), std::string::npos);
    EXPECT_NE(text.find("Exit status: 0 done, 1 failed, 2 wrong usage"), std::string::npos);
  }
  EXPECT_NE(information({"monitor", "--help"}).find("--timeout"), std::string::npos);
}

TEST_F(OptionsTest, VersionIsTheProjects) {
  EXPECT_EQ(information({"--version"}), "watchq " WATCHQ_VERSION "\n");
}

}  // namespace
}  // namespace watchq
