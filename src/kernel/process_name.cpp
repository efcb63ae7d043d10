// SPDX-License-Identifier: MIT
#include "kernel/process_name.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/take_until.h"
#include "base/unique_fd.h"

namespace watchq {
namespace {

/// What follows a label at the start of a line, up to its end; nothing where there is no such line.
std::optional<std::string_view> line_after(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (line.starts_with(label)) return line.substr(label.size());
  }
  return std::nullopt;
}

}  // namespace

ProcessName parse_process_status(std::string_view status) {
  ProcessName name;
  if (const auto comm = line_after(status, "Name:\t")) name.comm = *comm;
  if (const auto users = line_after(status, "Uid:\t")) {
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(users->data(), users->data() + users->size(), uid);
    if (error == std::errc()) name.uid = uid;
  }
  return name;
}

ProcessName name_process(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  // Both lines are among the first.
  std::array<char, 1024> text;
  const ssize_t length = ::read(file.get(), text.data(), text.size());
  if (length <= 0) return {};
  return parse_process_status({text.data(), static_cast<std::size_t>(length)});
}

}  // namespace watchq
