// SPDX-License-Identifier: MIT
// Samples as Linux 6.18 recorded them while keyutils' `keyctl` ran, and calls made up for the rest.
#include "kernel/key_trace.h"

#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace watchq {
namespace {

constexpr const char* kCommon =
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
    "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n";
constexpr const char* kEnterKeyctl =
    "\tfield:int option;\toffset:16;\tsize:8;\tsigned:0;\n"
    "\tfield:unsigned long arg2;\toffset:24;\tsize:8;\tsigned:0;\n"
    "\tfield:unsigned long arg3;\toffset:32;\tsize:8;\tsigned:0;\n"
    "\tfield:unsigned long arg4;\toffset:40;\tsize:8;\tsigned:0;\n"
    "\tfield:unsigned long arg5;\toffset:48;\tsize:8;\tsigned:0;\n";
constexpr const char* kExit = "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n";

TraceFormat format(int id, const char* fields) {
  return parse_trace_format("name: some\nID: " + std::to_string(id) + "\nformat:\n" + kCommon +
                            fields + "\nprint fmt: \"0x%lx\", REC->ret\n");
}

std::vector<std::byte> bytes_of(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

TraceSample sample(std::uint64_t time, pid_t thread, const std::string& hex) {
  return {time, thread, thread, bytes_of(hex)};
}

KeyCalls calls_of_keyctl() {
  KeyCalls calls;
  calls.add_format("syscalls/sys_enter_keyctl", format(2068, kEnterKeyctl));
  calls.add_format("syscalls/sys_exit_keyctl", format(2067, kExit));
  return calls;
}

// keyctl unlink 907568675 500685537
const std::string kUnlinkBegins =
    "1408000109580000fa0000000000000009000000000000002366183600000000e1dad71d000000008e8a54ebfe7f00"
    "00999999999999991900000000";
const std::string kUnlinkEnds = "1308000109580000fa00000000000000000000000000000000000000";
// keyctl get_keyring @s of another thread
const std::string kNameBegins =
    "140800010b580000fa000000000000000000000000000000fdffffff0000000000000000000000001f000000000000"
    "00000000000000000000000000";
const std::string kNameEnds = "130800010b580000fa0000000000000003313b370000000000000000";

TEST(KeyCalls, PutsBeginningAndEndTogether) {
  KeyCalls calls = calls_of_keyctl();
  EXPECT_FALSE(calls.add(sample(1942361095048, 22537, kUnlinkBegins)));
  const auto call = calls.add(sample(1942361140558, 22537, kUnlinkEnds));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->call, KeySystemCall::keyctl);
  EXPECT_EQ(call->began, 1942361095048U);
  EXPECT_EQ(call->process, 22537);
  EXPECT_EQ(call->result, 0);
  const std::vector<KeyDeed> expected = {
      {KeyDeedKind::unlinked, 500685537, 907568675, 22537, 22537, 1942361095048U}};
  EXPECT_EQ(key_deeds(*call), expected);
}

TEST(KeyCalls, KeepsThreadsApart) {
  KeyCalls calls = calls_of_keyctl();
  EXPECT_FALSE(calls.add(sample(1, 22537, kUnlinkBegins)));
  EXPECT_FALSE(calls.add(sample(2, 22539, kNameBegins)));
  const auto unlink = calls.add(sample(3, 22537, kUnlinkEnds));
  const auto name = calls.add(sample(4, 22539, kNameEnds));
  ASSERT_TRUE(unlink && name);
  EXPECT_EQ(unlink->thread, 22537);
  const std::vector<KeyDeed> expected = {
      {KeyDeedKind::named, KEY_SPEC_SESSION_KEYRING, 926626051, 22539, 22539, 2}};
  EXPECT_EQ(key_deeds(*name), expected);
}

TEST(KeyCalls, LeavesOutWhatItDidNotSeeBegin) {
  KeyCalls calls = calls_of_keyctl();
  EXPECT_FALSE(calls.add(sample(1, 22537, kUnlinkEnds)));
  calls.add(sample(2, 22537, kUnlinkBegins));
  calls.forget();
  EXPECT_FALSE(calls.add(sample(3, 22537, kUnlinkEnds)));
}

TEST(KeyCalls, LeavesOutOtherTracepointsAndShortSamples) {
  KeyCalls calls = calls_of_keyctl();
  EXPECT_FALSE(calls.add(sample(1, 1, "ffff")));
  EXPECT_FALSE(calls.add(sample(1, 1, "")));
  calls.add(sample(2, 1, "1408"));
  const auto call = calls.add(sample(3, 1, "1308"));
  ASSERT_TRUE(call);
  EXPECT_TRUE(key_deeds(*call).empty());
}

TEST(KeyCalls, RefusesAFormatWithoutItsFields) {
  KeyCalls calls;
  EXPECT_THROW(calls.add_format("syscalls/sys_exit_keyctl", format(1, "")), std::system_error);
}

KeyCall keyctl_call(int operation, std::array<std::int64_t, 4> arguments, std::int64_t result = 0) {
  KeyCall call;
  call.arguments[0] = static_cast<std::uint64_t>(operation);
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    call.arguments.at(at + 1) = static_cast<std::uint64_t>(arguments.at(at));
  }
  call.result = result;
  return call;
}

KeyDeed deed(KeyDeedKind kind, std::int32_t key, std::int32_t aux = 0) {
  KeyDeed made;
  made.kind = kind;
  made.key = key;
  made.aux = aux;
  return made;
}

using Deeds = std::vector<KeyDeed>;

TEST(KeyDeeds, OfKeyctl) {
  using enum KeyDeedKind;
  const auto of = [](int operation, std::array<std::int64_t, 4> arguments,
                     std::int64_t result = 0) {
    return key_deeds(keyctl_call(operation, arguments, result));
  };
  EXPECT_EQ(of(KEYCTL_UPDATE, {7}), Deeds{deed(updated, 7)});
  EXPECT_EQ(of(KEYCTL_REVOKE, {7}), Deeds{deed(revoked, 7)});
  EXPECT_EQ(of(KEYCTL_INVALIDATE, {7}), Deeds{deed(invalidated, 7)});
  EXPECT_EQ(of(KEYCTL_SETPERM, {7, 0x3f3f0000}), Deeds{deed(setattr, 7)});
  EXPECT_EQ(of(KEYCTL_CHOWN, {7, 5, -1}), Deeds{deed(setattr, 7)});
  EXPECT_EQ(of(KEYCTL_CHOWN, {7, -1, -1}), Deeds{});
  EXPECT_EQ(of(KEYCTL_SET_TIMEOUT, {7, 30}), Deeds{deed(setattr, 7)});
  EXPECT_EQ(of(KEYCTL_RESTRICT_KEYRING, {-3}), Deeds{deed(setattr, -3)});
  EXPECT_EQ(of(KEYCTL_CLEAR, {8}), Deeds{deed(cleared, 8)});
  EXPECT_EQ(of(KEYCTL_LINK, {7, 8}), Deeds{deed(linked, 8, 7)});
  EXPECT_EQ(of(KEYCTL_UNLINK, {7, 8}), Deeds{deed(unlinked, 8, 7)});
  EXPECT_EQ(of(KEYCTL_MOVE, {7, 8, 9}), (Deeds{deed(unlinked, 8, 7), deed(linked, 9, 7)}));
  EXPECT_EQ(of(KEYCTL_MOVE, {7, 8, 8}), Deeds{});
  EXPECT_EQ(of(KEYCTL_SEARCH, {8, 0, 0, 9}, 7), Deeds{deed(linked, 9, 7)});
  EXPECT_EQ(of(KEYCTL_SEARCH, {8, 0, 0, 0}, 7), Deeds{});
  EXPECT_EQ(of(KEYCTL_GET_PERSISTENT, {0, 9}, 7), Deeds{deed(linked, 9, 7)});
  EXPECT_EQ(of(KEYCTL_INSTANTIATE, {7, 0, 0, 0}), Deeds{deed(instantiated, 7)});
  EXPECT_EQ(of(KEYCTL_INSTANTIATE_IOV, {7, 0, 0, 9}),
            (Deeds{deed(instantiated, 7), deed(linked, 9, 7)}));
  EXPECT_EQ(of(KEYCTL_NEGATE, {7, 60, 9}),
            (Deeds{deed(instantiated, 7, ENOKEY), deed(linked, 9, 7)}));
  EXPECT_EQ(of(KEYCTL_REJECT, {7, 60, EKEYREJECTED, 0}),
            Deeds{deed(instantiated, 7, EKEYREJECTED)});
  EXPECT_EQ(of(KEYCTL_JOIN_SESSION_KEYRING, {0}, 7), Deeds{deed(named, -3, 7)});
  EXPECT_EQ(of(KEYCTL_READ, {7, 0, 0}, 4), Deeds{});
  EXPECT_EQ(of(KEYCTL_DESCRIBE, {7, 0, 0}, 4), Deeds{});
}

TEST(KeyDeeds, OfWhatFailed) {
  for (int operation = 0; operation < 40; ++operation) {
    EXPECT_EQ(key_deeds(keyctl_call(operation, {7, 8, 9, 10}, -EACCES)), Deeds{}) << operation;
  }
}

TEST(KeyDeeds, OfAddKey) {
  KeyCall call;
  call.call = KeySystemCall::add_key;
  call.arguments[4] = static_cast<std::uint64_t>(std::int64_t{-3});
  call.result = 7;
  EXPECT_EQ(key_deeds(call), Deeds{deed(KeyDeedKind::added, -3, 7)});
  call.result = -EDQUOT;
  EXPECT_EQ(key_deeds(call), Deeds{});
}

TEST(KeyDeeds, OfRequestKey) {
  KeyCall call;
  call.call = KeySystemCall::request_key;
  call.result = 7;
  EXPECT_EQ(key_deeds(call), Deeds{}) << "found, and linked nowhere";
  call.arguments[3] = 9;
  EXPECT_EQ(key_deeds(call), Deeds{deed(KeyDeedKind::linked, 9, 7)});
  call.arguments[2] = 0x7fff0000;
  call.result = -ENOKEY;
  EXPECT_EQ(key_deeds(call), Deeds{deed(KeyDeedKind::uncertain, 0)})
      << "a negative key may be left";
}

/// A ring of perf, written as perf_output_sample() does.
class Ring {
 public:
  explicit Ring(std::uint64_t start) : tail(start), head(start) {}

  void add(std::uint32_t type, const std::vector<std::byte>& body) {
    perf_event_header header{};
    header.type = type;
    header.size = static_cast<std::uint16_t>(sizeof header + body.size());
    put(&header, sizeof header);
    put(body.data(), body.size());
  }
  void add_sample(std::uint32_t thread, std::uint64_t time, const std::vector<std::byte>& raw) {
    std::vector<std::byte> body(20);
    const auto size = static_cast<std::uint32_t>(raw.size());
    std::memcpy(body.data(), &thread, 4);
    std::memcpy(body.data() + 4, &thread, 4);
    std::memcpy(body.data() + 8, &time, 8);
    std::memcpy(body.data() + 16, &size, 4);
    body.insert(body.end(), raw.begin(), raw.end());
    add(PERF_RECORD_SAMPLE, body);
  }
  [[nodiscard]] TraceTaken read() const {
    TraceTaken taken;
    read_trace_ring(bytes, tail, head, taken);
    return taken;
  }

  std::vector<std::byte> bytes = std::vector<std::byte>(256);
  std::uint64_t tail, head;

 private:
  void put(const void* data, std::size_t size) {
    for (std::size_t at = 0; at < size; ++at) {
      bytes[static_cast<std::size_t>(head++ % bytes.size())] =
          static_cast<const std::byte*>(data)[at];
    }
  }
};

TEST(TraceRing, GivesSamplesWithThreadAndTime) {
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{200}, UINT64_MAX / 2 - 55}) {
    Ring ring(start);  // at the start, over the ring's end, and far on
    ring.add_sample(5, 77, bytes_of(kUnlinkEnds));
    ring.add_sample(6, 78, {});
    const TraceTaken taken = ring.read();
    ASSERT_EQ(taken.samples.size(), 2U);
    EXPECT_EQ(taken.samples[0].thread, 5);
    EXPECT_EQ(taken.samples[0].time, 77U);
    EXPECT_EQ(taken.samples[0].raw, bytes_of(kUnlinkEnds));
    EXPECT_EQ(taken.samples[1].time, 78U);
    EXPECT_TRUE(taken.samples[1].raw.empty());
    EXPECT_EQ(taken.lost, 0U);
  }
}

TEST(TraceRing, CountsWhatWasLost) {
  Ring ring(0);
  std::vector<std::byte> body(16);
  body[8] = std::byte{41};
  ring.add(PERF_RECORD_LOST, body);
  ring.add(PERF_RECORD_LOST, body);
  EXPECT_EQ(ring.read().lost, 82U);
}

TEST(TraceRing, StopsAtWhatIsNoRecord) {
  Ring ring(0);
  ring.add_sample(5, 77, {});
  ring.head += 8;  // a header of zeroes
  EXPECT_EQ(ring.read().samples.size(), 1U);
  Ring longer(0);
  longer.add_sample(5, 77, bytes_of(kUnlinkEnds));
  longer.head -= 4;  // the record goes on behind the head
  EXPECT_TRUE(longer.read().samples.empty());
}

}  // namespace
}  // namespace watchq
