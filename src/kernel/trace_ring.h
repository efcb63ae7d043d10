// SPDX-License-Identifier: MIT
// What perf writes into a ring for tracepoints.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace watchq {

/// A tracepoint that was passed.
struct TraceSample {
  std::uint64_t time = 0;      ///< ns of CLOCK_MONOTONIC
  pid_t process = 0;           ///< 0 outside our pid namespace, or -1 when it is ending
  pid_t thread = 0;            ///< likewise
  std::vector<std::byte> raw;  ///< what the tracepoint recorded
};

struct TraceTaken {
  std::vector<TraceSample> samples;
  std::uint64_t lost = 0;  ///< how many the kernel dropped, as far as it has said so
};

/// Reads the records of a perf ring that stand between `tail` and `head`, counts of bytes that are
/// never wrapped, and adds them to `taken`. `ring` is its data, of a power of two of bytes. Samples
/// have a thread (PERF_SAMPLE_TID), a time (PERF_SAMPLE_TIME) and raw data (PERF_SAMPLE_RAW). Pure.
void read_trace_ring(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head,
                     TraceTaken& taken);

}  // namespace watchq
