// SPDX-License-Identifier: MIT
#include "kernel/tracepoint.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iterator>
#include <mutex>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/take_until.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kRounds = 16;
/// Where there is no more room than this, a record may have been dropped.
constexpr std::size_t kLongestRecord = 256;

/// The root of tracefs, which need not be mounted anywhere: of a mount that nobody sees.
UniqueFd open_tracefs() {
  UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC)));
  if (!context.valid()) throw_errno("fsopen of tracefs");
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    throw_errno("fsconfig of tracefs");
  }
  UniqueFd root(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!root.valid()) throw_errno("fsmount of tracefs");
  return root;
}

template <typename Number>
Number number_after(std::string_view text, std::string_view name) {
  Number number{};
  const auto found = text.find(name);
  if (found != std::string_view::npos) {
    const char* digits = text.data() + found + name.size();
    std::from_chars(digits, text.data() + text.size(), number);
  }
  return number;
}

/// The name in a declaration: "dev_t dev", "char name[16]".
std::string_view name_in(std::string_view declaration) {
  const auto array = std::min(declaration.find('['), declaration.size());
  const auto before = declaration.substr(0, array);
  const auto space = before.find_last_of(" \t*");
  return space == std::string_view::npos ? before : before.substr(space + 1);
}

std::size_t processors() {
  // Processors that come later are not seen.
  const long count = ::sysconf(_SC_NPROCESSORS_CONF);
  return count > 0 ? static_cast<std::size_t>(count) : 1;
}

UniqueFd open_event(std::uint64_t id, std::size_t processor) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = id;
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  attributes.wakeup_events = 1;
  attributes.use_clockid = 1;  // the one that goes alike on all processors
  attributes.clockid = CLOCK_MONOTONIC;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, static_cast<int>(processor),
                                 -1, PERF_FLAG_FD_CLOEXEC)));
}

struct LeftOut {
  std::mutex mutex;
  std::set<pid_t> threads;
};

LeftOut& left_out() {
  static LeftOut threads;
  return threads;
}

}  // namespace

void leave_thread_out_of_traces() {
  LeftOut& out = left_out();
  const std::lock_guard lock(out.mutex);
  out.threads.insert(::gettid());
}

std::string filter_of_threads_left_out() {
  LeftOut& out = left_out();
  const std::lock_guard lock(out.mutex);
  std::string filter;
  for (const pid_t thread : out.threads) {
    filter += (filter.empty() ? "common_pid != " : " && common_pid != ") + std::to_string(thread);
  }
  return filter;
}

TraceFormat parse_trace_format(std::string_view text) {
  TraceFormat format;
  while (!text.empty()) {
    const auto line = take_until(text, '\n');
    if (line.starts_with("ID: ")) format.id = number_after<std::uint64_t>(line, "ID: ");
    constexpr std::string_view kField = "field:";
    const auto start = line.find(kField);
    const auto stop = line.find(';');
    if (start == std::string_view::npos || stop == std::string_view::npos || stop < start) continue;
    const auto name = name_in(line.substr(start + kField.size(), stop - start - kField.size()));
    format.fields[std::string(name)] = {number_after<std::size_t>(line, "offset:"),
                                        number_after<std::size_t>(line, "size:")};
  }
  return format;
}

TraceFormat read_trace_format(const std::string& name) {
  const UniqueFd root = open_tracefs();
  const UniqueFd file(
      ::openat(root.get(), ("events/" + name + "/format").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw_errno("tracepoint " + name);
  std::string text(16 * kPage, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) throw_errno("format of tracepoint " + name);
  text.resize(static_cast<std::size_t>(got));
  return parse_trace_format(text);
}

std::uint64_t trace_number(std::span<const std::byte> raw, const TraceField& field) {
  std::uint64_t number = 0;
  if (field.size > sizeof number || field.offset > raw.size()) return 0;
  if (field.size > raw.size() - field.offset) return 0;
  std::byte* into = reinterpret_cast<std::byte*>(&number);
  if constexpr (std::endian::native == std::endian::big) into += sizeof number - field.size;
  std::memcpy(into, raw.data() + field.offset, field.size);
  return number;
}

Tracepoint::Tracepoint(std::span<const std::uint64_t> ids, std::size_t pages) {
  for (std::size_t processor = 0; processor < processors(); ++processor) {
    open_on(processor, ids, pages);
  }
}

void Tracepoint::open_on(std::size_t processor, std::span<const std::uint64_t> ids,
                         std::size_t pages) {
  Ring ring;
  for (const std::uint64_t id : ids) {
    UniqueFd fd = open_event(id, processor);
    if (!fd.valid() && errno == ENODEV) return;  // this processor is off
    if (!fd.valid()) throw_errno("perf_event_open of a tracepoint");
    if (ring.fds.empty()) {
      ring.memory = Mapping::shared(fd.get(), kPage + pages * kPage);
    } else if (::ioctl(fd.get(), PERF_EVENT_IOC_SET_OUTPUT, ring.fds.front().get()) != 0) {
      throw_errno("putting tracepoints into one ring");
    }
    ring.fds.push_back(std::move(fd));
  }
  rings_.push_back(std::move(ring));
}

void Tracepoint::set_filter(const std::string& filter) {
  for (const Ring& ring : rings_) {
    for (const UniqueFd& fd : ring.fds) {
      if (::ioctl(fd.get(), PERF_EVENT_IOC_SET_FILTER, filter.c_str()) == 0) continue;
      throw_errno("the filter " + filter + " of a tracepoint");
    }
  }
}

std::vector<int> Tracepoint::fds() const {
  std::vector<int> fds;
  for (const Ring& ring : rings_) fds.push_back(ring.fds.front().get());
  return fds;
}

TraceTaken Tracepoint::take() {
  TraceTaken taken;
  // When a whole round finds nothing, no ring has what led to something that another one gave. Who
  // never stops writing is cut off somewhere.
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::size_t before = taken.samples.size();
    for (Ring& ring : rings_) take_from(ring, taken);
    if (taken.samples.size() == before) break;
  }
  std::stable_sort(taken.samples.begin(), taken.samples.end(),
                   [](const auto& one, const auto& other) { return one.time < other.time; });
  return taken;
}

void Tracepoint::take_from(Ring& ring, TraceTaken& taken) {
  auto& page = *reinterpret_cast<perf_event_mmap_page*>(ring.memory.bytes().data());
  const auto head = std::atomic_ref(page.data_head).load(std::memory_order_acquire);
  const auto data = ring.memory.bytes().subspan(kPage);
  TraceTaken found;
  read_trace_ring(data, page.data_tail, head, found);
  if (ring.loss_foreseen && found.lost != 0) {
    --found.lost;
    ring.loss_foreseen = false;
  }
  // The kernel tells of a loss before the next record alone: after a burst that may be late.
  if (head - page.data_tail + kLongestRecord > data.size() && !ring.loss_foreseen) {
    ++found.lost;
    ring.loss_foreseen = true;
  }
  taken.lost += found.lost;
  std::move(found.samples.begin(), found.samples.end(), std::back_inserter(taken.samples));
  std::atomic_ref(page.data_tail).store(head, std::memory_order_release);
}

}  // namespace watchq
