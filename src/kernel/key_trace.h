// SPDX-License-Identifier: MIT
// The system calls on keys, as tracepoints record them, and what they did. Pure. Calls of 32-bit
// programs on a 64-bit kernel are not among them: the kernel leaves those out of its tracepoints.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernel/key_deed.h"
#include "kernel/trace_ring.h"
#include "kernel/tracepoint.h"

namespace watchq {

enum class KeySystemCall { add_key, request_key, keyctl };

/// The tracepoints to open, "syscalls/sys_enter_keyctl" and so on.
std::vector<std::string> key_tracepoints();

/// A system call that has returned.
struct KeyCall {
  KeySystemCall call = KeySystemCall::keyctl;
  std::uint64_t began = 0;  ///< ns of CLOCK_MONOTONIC
  pid_t process = 0;
  pid_t thread = 0;
  std::array<std::uint64_t, 5> arguments{};  ///< in their order; pointers are of no use
  std::int64_t result = 0;                   ///< a negative errno when it failed
};

/// Puts the beginning and the end of each call together.
class KeyCalls {
 public:
  /// What a tracepoint of key_tracepoints() records, by its format. Throws std::system_error
  /// (EBADMSG) when a field that it takes is not there.
  void add_format(const std::string& tracepoint, const TraceFormat& format);

  /// The call that this sample ends; nothing when it begins one, or ends one that we saw no
  /// beginning of.
  std::optional<KeyCall> add(const TraceSample& sample);

  /// After a loss: what began may have ended.
  void forget() { begun_.clear(); }

 private:
  struct Point {
    KeySystemCall call = KeySystemCall::keyctl;
    bool enters = false;
    std::vector<TraceField> numbers;  // the arguments, or the result
  };
  TraceField id_field_;
  std::unordered_map<std::uint64_t, Point> points_;  // by ID of the tracepoint
  std::unordered_map<pid_t, KeyCall> begun_;         // by thread
};

/// What a call did, in the order in which the kernel tells its own watchers of it: nothing when it
/// failed, or changed no key.
std::vector<KeyDeed> key_deeds(const KeyCall& call);

}  // namespace watchq
