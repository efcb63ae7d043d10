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
#include "kernel/trace_ring.h"

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

/// Leaves what the calling thread does out of the tracepoints that are opened from now on and ask
/// for a filter of such threads: for one that lives as long as the process. Any thread.
void leave_thread_out_of_traces();
/// That filter; empty when there is no such thread.
std::string filter_of_threads_left_out();

/// Tracepoints on all processors, from when they are opened. One thread.
class Tracepoint {
 public:
  /// Those with these IDs of their formats. What waits to be taken may be up to `pages` of 4096
  /// bytes for each processor, a power of two. Throws std::system_error: EACCES or EPERM without
  /// CAP_PERFMON.
  Tracepoint(std::span<const std::uint64_t> ids, std::size_t pages);
  Tracepoint(std::uint64_t id, std::size_t pages) : Tracepoint(std::span(&id, 1), pages) {}
  Tracepoint(const Tracepoint&) = delete;
  Tracepoint& operator=(const Tracepoint&) = delete;

  /// From now on only what passes this filter, in the words of tracefs' `filter` files. Once.
  /// Throws std::system_error: EINVAL when it names a field that one of them lacks.
  void set_filter(const std::string& filter);

  /// To be waited for, each.
  [[nodiscard]] std::vector<int> fds() const;

  /// Takes all that waits, of all processors, in the order of time: what led to something stands
  /// before it, on whichever processors they were.
  TraceTaken take();

 private:
  struct Ring {
    std::vector<UniqueFd> fds;  // one for each tracepoint; the first one has the memory
    Mapping memory;
    bool loss_foreseen = false;  // counted before the kernel has told of it
  };
  void open_on(std::size_t processor, std::span<const std::uint64_t> ids, std::size_t pages);
  static void take_from(Ring& ring, TraceTaken& taken);

  std::vector<Ring> rings_;  // one for each processor
};

}  // namespace watchq
