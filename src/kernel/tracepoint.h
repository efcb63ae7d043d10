// SPDX-License-Identifier: MIT
// Tracepoints of the kernel, read by perf: events of the whole machine, with their fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapping.h"
#include "base/unique_fd.h"

namespace watchq {

/// Where a field stands in what a tracepoint records.
struct TraceField {
  std::size_t offset = 0;
  std::size_t size = 0;
};

struct TraceFormat {
  std::uint64_t id = 0;
  std::map<std::string, TraceField, std::less<>> fields;
};

/// Decodes the text of a tracepoint's `format` file. Pure. A line that is no field's is left out.
TraceFormat parse_trace_format(std::string_view text);

/// The format of a tracepoint, "xfs/xfs_force_shutdown". Throws std::system_error: ENOENT where the
/// kernel has no such tracepoint (yet: a module brings its own), EPERM where we may not look.
TraceFormat read_trace_format(const std::string& name);

/// A number in what a tracepoint recorded, of up to 8 bytes; 0 when it is not there.
std::uint64_t trace_number(std::span<const std::byte> raw, const TraceField& field);

/// One tracepoint on all processors, from when it is opened. One thread.
class Tracepoint {
 public:
  /// What waits to be taken may be up to `pages` of 4096 bytes for each processor, a power of two.
  /// Throws std::system_error: EACCES or EPERM without CAP_PERFMON.
  Tracepoint(std::uint64_t id, std::size_t pages);
  Tracepoint(const Tracepoint&) = delete;
  Tracepoint& operator=(const Tracepoint&) = delete;

  /// To be waited for, each.
  [[nodiscard]] std::vector<int> fds() const;

  struct Taken {
    std::vector<std::vector<std::byte>> records;  ///< what the tracepoint recorded
    std::uint64_t lost = 0;                       ///< how many the kernel dropped
  };
  /// Takes all that waits.
  Taken take();

 private:
  struct Ring {
    UniqueFd fd;
    Mapping memory;
  };
  void take_from(Ring& ring, Taken& taken) const;

  std::size_t data_bytes_;
  std::vector<Ring> rings_;  // one for each processor
};

}  // namespace watchq
