// SPDX-License-Identifier: MIT
#include "kernel/tracepoint.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/error.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;

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

UniqueFd open_on(std::uint64_t id, std::size_t processor) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = id;
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_RAW;
  attributes.wakeup_events = 1;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, static_cast<int>(processor),
                                 -1, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace

TraceFormat parse_trace_format(std::string_view text) {
  TraceFormat format;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
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
  if (field.size > sizeof number || field.offset + field.size > raw.size()) return 0;
  std::byte* into = reinterpret_cast<std::byte*>(&number);
  if constexpr (std::endian::native == std::endian::big) into += sizeof number - field.size;
  std::memcpy(into, raw.data() + field.offset, field.size);
  return number;
}

Tracepoint::Tracepoint(std::uint64_t id, std::size_t pages) : data_bytes_(pages * kPage) {
  for (std::size_t processor = 0; processor < processors(); ++processor) {
    Ring ring{open_on(id, processor), {}};
    if (!ring.fd.valid() && errno == ENODEV) continue;  // this one is off
    if (!ring.fd.valid()) throw_errno("perf_event_open of a tracepoint");
    ring.memory = Mapping::shared(ring.fd.get(), kPage + data_bytes_);
    rings_.push_back(std::move(ring));
  }
}

std::vector<int> Tracepoint::fds() const {
  std::vector<int> fds;
  for (const Ring& ring : rings_) fds.push_back(ring.fd.get());
  return fds;
}

Tracepoint::Taken Tracepoint::take() {
  Taken taken;
  for (Ring& ring : rings_) take_from(ring, taken);
  return taken;
}

void Tracepoint::take_from(Ring& ring, Taken& taken) const {
  auto& page = *reinterpret_cast<perf_event_mmap_page*>(ring.memory.bytes().data());
  const std::byte* data = ring.memory.bytes().data() + kPage;
  const auto copy = [&](std::uint64_t from, void* to, std::size_t bytes) {
    auto* into = static_cast<std::byte*>(to);
    for (std::size_t at = 0; at < bytes; ++at) into[at] = data[(from + at) % data_bytes_];
  };
  const auto head = std::atomic_ref(page.data_head).load(std::memory_order_acquire);
  std::uint64_t tail = page.data_tail;
  while (tail + sizeof(perf_event_header) <= head) {
    perf_event_header header{};
    copy(tail, &header, sizeof header);
    if (header.size < sizeof header || header.size > head - tail) break;
    const std::uint64_t body = tail + sizeof header;
    const std::size_t left = header.size - sizeof header;
    std::uint32_t size = 0;
    if (header.type == PERF_RECORD_SAMPLE && left >= sizeof size) {
      copy(body, &size, sizeof size);
      std::vector<std::byte> raw(std::min<std::size_t>(size, left - sizeof size));
      copy(body + sizeof size, raw.data(), raw.size());
      taken.records.push_back(std::move(raw));
    } else if (header.type == PERF_RECORD_LOST && left >= 2 * sizeof(std::uint64_t)) {
      std::array<std::uint64_t, 2> lost{};  // the event's ID, the count
      copy(body, lost.data(), sizeof lost);
      taken.lost += lost[1];
    }
    tail += header.size;
  }
  std::atomic_ref(page.data_tail).store(head, std::memory_order_release);
}

}  // namespace watchq
