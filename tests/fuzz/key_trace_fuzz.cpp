// SPDX-License-Identifier: MIT
// System calls on keys from arbitrary samples of tracepoints, whose formats are given.
//
// Input: samples, each the tracepoint, the thread, and 64 bytes that it recorded.
#include <vector>

#include "fuzz/fuzz_input.h"
#include "kernel/key_trace.h"

namespace watchq {
namespace {

constexpr std::size_t kRaw = 64;

/// All fields that any of them has, one after the other.
TraceFormat format_of(std::uint64_t id) {
  TraceFormat format;
  format.id = id;
  format.fields["common_type"] = {0, 2};
  std::size_t offset = 16;
  for (const char* name : {"_type", "_description", "_payload", "plen", "ringid"}) {
    format.fields[name] = {offset, 8};
    offset += 8;
  }
  offset = 16;
  for (const char* name : {"option", "arg2", "arg3", "arg4", "arg5"}) {
    format.fields[name] = {offset, 8};
    offset += 8;
  }
  format.fields["_callout_info"] = {32, 8};
  format.fields["destringid"] = {40, 8};
  format.fields["ret"] = {16, 8};
  return format;
}

void key_trace(FuzzInput input) {
  KeyCalls calls;
  std::uint64_t id = 1;
  for (const std::string& tracepoint : key_tracepoints()) {
    calls.add_format(tracepoint, format_of(id));
    ++id;
  }
  while (!input.empty()) {
    TraceSample sample;
    const std::uint16_t which = input.take<std::uint8_t>() % (id + 1);
    sample.thread = static_cast<pid_t>(input.take<std::uint8_t>() % 4) - 1;
    for (std::size_t at = 0; at < kRaw; ++at) {
      sample.raw.push_back(std::byte{input.take<std::uint8_t>()});
    }
    std::memcpy(sample.raw.data(), &which, sizeof which);
    if (const auto call = calls.add(sample)) {
      const auto deeds = key_deeds(*call);
      require(call->result >= 0 || deeds.empty() || call->call == KeySystemCall::request_key,
              "what failed did nothing");
      require(deeds.size() <= 3, "a call does a few things at most");
    }
    if (which == id) calls.forget();
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::key_trace(watchq::FuzzInput(data, size));
  return 0;
}
