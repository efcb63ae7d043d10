// SPDX-License-Identifier: MIT
#include "tool/surroundings.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/unique_fd.h"
#include "tool/option_values.h"
#include "tool/read_file.h"
#include "version.h"

namespace watchq {
namespace {

std::optional<std::string> try_read(const std::string& path) {
  try {
    return read_file(path);
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::optional<std::uint64_t> number_in(const std::string& path) {
  auto text = try_read(path);
  if (!text) return std::nullopt;
  while (text->ends_with('\n')) text->pop_back();
  return number<std::uint64_t>(*text);
}

/// The value of a line "Name:\tvalue" of /proc/self/status; 0 where there is none.
std::uint64_t value_in(const std::string& status, const std::string& name, int base) {
  const std::size_t line = status.find('\n' + name + ":\t");
  if (line == std::string::npos) return 0;
  const std::size_t begin = line + name.size() + 3;
  return number<std::uint64_t>(status.substr(begin, status.find('\n', begin) - begin), base)
      .value_or(0);
}

void look_at_daemon(Surroundings& here) {
  struct stat status;
  here.directory_exists = ::stat(here.directory.c_str(), &status) == 0 || errno == ENOTCONN;
  try {
    const std::string text = read_file(here.directory + "/status");
    auto document = nlohmann::ordered_json::parse(text, nullptr, false);
    if (document.is_object()) {
      here.status = std::move(document);
    } else {
      here.status_error = EINVAL;
    }
  } catch (const std::system_error& error) {
    here.status_error = error.code().value();
  }
  if (!here.status) return;
  const UniqueFd queue(::open((here.directory + "/queue").c_str(), O_RDWR | O_CLOEXEC));
  if (!queue.valid()) here.queue_error = errno;
}

bool finds_program(const char* name) {
  std::string directories = "/bin:/usr/bin:/usr/local/bin";
  if (const char* path = std::getenv("PATH")) directories += std::string(":") + path;
  for (std::size_t begin = 0; begin <= directories.size();) {
    const std::size_t end = std::min(directories.find(':', begin), directories.size());
    if (exists(directories.substr(begin, end - begin) + '/' + name)) return true;
    begin = end + 1;
  }
  return false;
}

bool is_in_container() {
  if (exists("/.dockerenv") || exists("/run/.containerenv")) return true;
  if (exists("/run/systemd/container")) return true;
  const auto environment = try_read("/proc/1/environ");
  return environment &&
         ('\0' + *environment).find(std::string("\0container=", 11)) != std::string::npos;
}

void look_at_rights(Surroundings& here) {
  here.is_root = ::geteuid() == 0;
  here.is_in_container = is_in_container();
  const std::string status = try_read("/proc/self/status").value_or("");
  constexpr std::uint64_t kFilterMode = 2;
  here.has_seccomp_filter = value_in(status, "Seccomp", 10) == kFilterMode;
  here.capabilities = value_in(status, "CapEff", 16);
  here.has_unit = exists("/run/systemd/system") && (exists("/lib/systemd/system/watchqd.service") ||
                                                    exists("/etc/systemd/system/watchqd.service"));
  here.has_fusermount = finds_program("fusermount3");
}

void look_at_limits(Surroundings& here) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) here.open_files = files.rlim_max;
  const std::string sys = "/proc/sys/fs/";
  here.inotify_instances = number_in(sys + "inotify/max_user_instances");
  here.inotify_watches = number_in(sys + "inotify/max_user_watches");
  here.fanotify_groups = number_in(sys + "fanotify/max_user_groups");
  here.fanotify_marks = number_in(sys + "fanotify/max_user_marks");
  here.fanotify_queue = number_in(sys + "fanotify/max_queued_events");
}

}  // namespace

Surroundings look_around(const std::string& directory) {
  Surroundings here;
  here.directory = directory;
  here.version = WATCHQ_VERSION;
  utsname system{};
  if (::uname(&system) == 0) here.kernel = system.release;
  here.has_fuse_device = exists("/dev/fuse");
  if (!UniqueFd(::open("/dev/fuse", O_RDWR | O_CLOEXEC)).valid()) here.fuse_error = errno;
  look_at_daemon(here);
  look_at_rights(here);
  look_at_limits(here);
  here.features = probe_features();
  return here;
}

}  // namespace watchq
