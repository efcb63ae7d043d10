// SPDX-License-Identifier: MIT
#include "kernel/trace_ring.h"

#include <linux/perf_event.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace watchq {
namespace {

/// What comes before the raw data of a sample.
struct SampleStart {
  std::uint32_t process;
  std::uint32_t thread;
  std::uint64_t time;
  std::uint32_t raw_size;
} __attribute__((packed));

/// The bytes of a record, wherever the ring's end is.
std::vector<std::byte> copy(std::span<const std::byte> ring, std::uint64_t from, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const std::size_t at = static_cast<std::size_t>(from % ring.size());
  const std::size_t first = std::min(size, ring.size() - at);
  const auto end =
      std::copy_n(ring.begin() + static_cast<std::ptrdiff_t>(at), first, bytes.begin());
  std::copy_n(ring.begin(), size - first, end);
  return bytes;
}

void add_sample(std::span<const std::byte> body, TraceTaken& taken) {
  SampleStart start{};
  if (body.size() < sizeof start) return;
  std::memcpy(&start, body.data(), sizeof start);
  body = body.subspan(sizeof start);
  TraceSample sample;
  sample.time = start.time;
  sample.process = static_cast<pid_t>(start.process);
  sample.thread = static_cast<pid_t>(start.thread);
  body = body.first(std::min<std::size_t>(start.raw_size, body.size()));
  sample.raw.assign(body.begin(), body.end());
  taken.samples.push_back(std::move(sample));
}

void add_loss(std::span<const std::byte> body, TraceTaken& taken) {
  std::array<std::uint64_t, 2> lost{};  // the event's ID, the count
  if (body.size() < sizeof lost) return;
  std::memcpy(lost.data(), body.data(), sizeof lost);
  taken.lost += lost[1];
}

}  // namespace

void read_trace_ring(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head,
                     TraceTaken& taken) {
  perf_event_header header{};
  for (; tail + sizeof header <= head; tail += header.size) {
    const auto start = copy(ring, tail, sizeof header);
    std::memcpy(&header, start.data(), sizeof header);
    if (header.size < sizeof header || header.size > head - tail) break;
    const auto body = copy(ring, tail + sizeof header, header.size - sizeof header);
    if (header.type == PERF_RECORD_SAMPLE) add_sample(body, taken);
    if (header.type == PERF_RECORD_LOST) add_loss(body, taken);
  }
}

}  // namespace watchq
