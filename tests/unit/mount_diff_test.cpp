// SPDX-License-Identifier: MIT
// What is told of two listings, given as mountinfo texts.
#include "source/mount_diff.h"

#include <gtest/gtest.h>

#include "kernel/mountinfo.h"

namespace watchq {
namespace {

MountTable table_of(std::string_view mountinfo) {
  const auto infos = parse_mountinfo(mountinfo);
  MountTable table;
  for (const MountInfo& info : infos) {
    std::string place = "/";
    for (const MountInfo& parent : infos) {
      if (parent.mount == info.parent) {
        place = place_in_parent(info.mount_point, parent.mount_point).value();
      }
    }
    table.put(info, place);
  }
  return table;
}

/// One event as text: kind, triggered_on, changed_mount.
std::string words(const MountEvent& event) {
  constexpr const char* kKinds[] = {"new",     "unmount", "expiry", "readonly",
                                    "setattr", "from",    "to"};
  return std::string(kKinds[static_cast<int>(event.kind)]) + " " +
         std::to_string(event.triggered_on) + " " + std::to_string(event.changed_mount) +
         (event.elsewhere.empty() ? "" : " carried") + (event.recursive ? " recursive" : "") +
         (event.submount ? " submount" : "");
}

std::vector<std::string> diff(std::string_view before, std::string_view after,
                              PlaceChange change = PlaceChange::is_move) {
  std::vector<std::string> events;
  for (const MountEvent& event : mount_diff(table_of(before), table_of(after), change)) {
    events.push_back(words(event));
  }
  return events;
}

using Words = std::vector<std::string>;

constexpr const char* kBase =
    "1 0 8:1 / / rw - ext4 /dev/a rw\n"
    "2 1 0:2 / /mnt rw,relatime - tmpfs t rw\n";

std::string with(std::string_view lines) { return kBase + std::string(lines); }

TEST(MountDiff, SaysNothingOfWhatStayedTheSame) { EXPECT_EQ(diff(kBase, kBase), Words{}); }

TEST(MountDiff, TellsNewMountsFromAboveAndUnmountsFromBelow) {
  const std::string deep = with(
      "4 3 0:4 / /mnt/a/b rw - tmpfs u rw\n"
      "3 2 0:3 / /mnt/a rw - tmpfs v rw\n");
  EXPECT_EQ(diff(kBase, deep), (Words{"new 2 3", "new 3 4"}));
  EXPECT_EQ(diff(deep, kBase), (Words{"unmount 3 4", "unmount 2 3"}));
}

TEST(MountDiff, TellsNewMountsInTheOrderOfTheListing) {
  std::string many;
  Words come;
  Words go;
  for (const char* id : {"50", "7", "48", "12", "49", "3", "51", "90"}) {
    const std::string name(id);
    many += name + " 2 0:" + name + " / /mnt/" + name + " rw - tmpfs u rw\n";
    come.push_back("new 2 " + name);
    go.insert(go.begin(), "unmount 2 " + name);
  }
  EXPECT_EQ(diff(kBase, with(many)), come);
  EXPECT_EQ(diff(with(many), kBase), go);
}

TEST(MountDiff, TellsAMoveTwiceAndWhatItCarries) {
  const auto tree = [](const char* at, const char* below) {
    return with(std::string("3 2 0:3 / ") + at + " rw - tmpfs v rw\n4 3 0:4 / " + below +
                " rw - tmpfs u rw\n");
  };
  EXPECT_EQ(diff(tree("/mnt/a", "/mnt/a/x"), tree("/mnt/b", "/mnt/b/x")),
            (Words{"unmount 3 4 carried", "from 2 3", "to 2 3", "new 3 4 carried"}));
}

TEST(MountDiff, TellsAMoveOntoANewMountAfterTheNewMount) {
  const std::string before = with("3 2 0:3 / /mnt/a rw - tmpfs v rw\n");
  const std::string after = with(
      "4 2 0:4 / /mnt/b rw - tmpfs u rw\n"
      "3 4 0:3 / /mnt/b/a rw - tmpfs v rw\n");
  EXPECT_EQ(diff(before, after), (Words{"from 2 3", "new 2 4", "to 4 3"}));
  EXPECT_EQ(diff(after, before), (Words{"from 4 3", "unmount 2 4", "to 2 3"}));
}

TEST(MountDiff, TellsAttributesAfterThePlaces) {
  const std::string before = with("3 2 0:3 / /mnt/a rw - tmpfs v rw\n");
  const std::string after = with(
      "4 2 0:4 / /mnt/b rw - tmpfs u rw\n"
      "3 4 0:3 / /mnt/b/a ro - tmpfs v rw\n");
  EXPECT_EQ(diff(before, after), (Words{"from 2 3", "new 2 4", "to 4 3", "readonly 3 0"}));
}

TEST(MountDiff, TellsAttributesOfTheMount) {
  const auto one = [](const char* options, const char* propagation) {
    return with(std::string("3 2 0:3 / /mnt/a ") + options + propagation + " - tmpfs v rw\n");
  };
  const std::string before = one("rw,relatime", "");
  EXPECT_EQ(diff(before, one("ro,relatime", "")), (Words{"readonly 3 0"}));
  EXPECT_EQ(diff(before, one("rw,nosuid,relatime", "")), (Words{"setattr 3 0"}));
  EXPECT_EQ(diff(before, one("rw,relatime", " shared:9")), (Words{"setattr 3 0"}));
  EXPECT_EQ(diff(before, one("ro,nodev,relatime", "")), (Words{"readonly 3 0", "setattr 3 0"}));
}

TEST(MountDiff, SaysRecursiveWhereAllBelowChangedAlike) {
  const auto tree = [](const char* a, const char* b, const char* c) {
    return with(std::string("3 2 0:3 / /mnt/a ") + a + " - tmpfs v rw\n4 3 0:4 / /mnt/a/b " + b +
                " - tmpfs v rw\n5 4 0:5 / /mnt/a/b/c " + c + " - tmpfs v rw\n");
  };
  const std::string before = tree("rw", "rw", "rw");
  EXPECT_EQ(diff(before, tree("ro", "ro", "ro")),
            (Words{"readonly 3 0 recursive", "readonly 4 0 recursive", "readonly 5 0"}));
  EXPECT_EQ(diff(before, tree("ro", "ro", "rw")), (Words{"readonly 3 0", "readonly 4 0"}));
  EXPECT_EQ(diff(before, tree("rw,nosuid", "ro", "ro")),
            (Words{"setattr 3 0", "readonly 4 0 recursive", "readonly 5 0"}));
}

TEST(MountDiff, KnowsTheSubmountsOfAnAutomounter) {
  const std::string automounter = with("3 2 0:3 / /mnt/auto rw - autofs map rw\n");
  const std::string mounted = automounter + "4 3 0:4 / /mnt/auto/x rw - tmpfs v rw\n";
  EXPECT_EQ(diff(automounter, mounted), (Words{"new 3 4 submount"}));
  EXPECT_EQ(diff(mounted, automounter), (Words{"expiry 3 4", "unmount 3 4"}));
}

TEST(MountDiff, TakesAReusedIdForAnotherMount) {
  EXPECT_EQ(diff(with("3 2 0:3 / /mnt/a rw - tmpfs v rw\n"),
                 with("3 2 8:9 / /mnt/a rw - ext4 /dev/b rw\n")),
            (Words{"unmount 2 3", "new 2 3"}));
}

TEST(MountDiff, TakesWhatIsOnAReusedIdForMoved) {
  const auto tree = [](const char* parent) {
    return with(std::string("3 2 ") + parent + "4 3 0:4 / /mnt/a/x rw - tmpfs u rw\n");
  };
  EXPECT_EQ(
      diff(tree("0:3 / /mnt/a rw - tmpfs v rw\n"), tree("8:9 / /mnt/a rw - ext4 /dev/b rw\n")),
      (Words{"from 3 4", "unmount 2 3", "new 2 3", "to 3 4"}));
}

TEST(MountDiff, SaysNothingOfRenamedDirectories) {
  const std::string before = with("3 2 0:3 / /mnt/a/m rw - tmpfs v rw\n");
  const std::string after = with("3 2 0:3 / /mnt/b/m rw - tmpfs v rw\n");
  EXPECT_EQ(diff(before, after, PlaceChange::is_rename), Words{});
  EXPECT_EQ(diff(before, after, PlaceChange::is_move), (Words{"from 2 3", "to 2 3"}));
}

}  // namespace
}  // namespace watchq
