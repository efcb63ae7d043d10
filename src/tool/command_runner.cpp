// SPDX-License-Identifier: MIT
#include "tool/command_runner.h"

#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/unique_fd.h"
#include "tool/output.h"
#include "tool/render.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return json_line(value);
  std::string list;
  for (const Json& element : value) list += (list.empty() ? "" : ",") + text_of(element);
  return list;
}

/// A file that holds the line, at its start. Whether it is read or not nobody waits for.
UniqueFd input_of(const std::string& line) {
  UniqueFd file(::memfd_create("watchq-event", MFD_CLOEXEC));
  if (!file.valid()) throw_errno("memfd_create");
  Output(file.get()).write(line);
  if (::lseek(file.get(), 0, SEEK_SET) != 0) throw_errno("lseek");
  return file;
}

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::system_category(), what);
}

/// What posix_spawn() is told, freed at the end.
class SpawnSettings {
 public:
  SpawnSettings(int input, const sigset_t& mask) {
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
    check(::posix_spawnattr_setsigmask(&attributes_, &mask), "posix_spawnattr_setsigmask");
    check(::posix_spawnattr_setsigdefault(&attributes_, &defaults),
          "posix_spawnattr_setsigdefault");
    check(::posix_spawnattr_setflags(
              &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP),
          "posix_spawnattr_setflags");
    check(::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO),
          "posix_spawn_file_actions_adddup2");
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

bool is_named_in(std::string_view variable, const std::vector<std::string>& others) {
  const std::string_view begin = variable.substr(0, variable.find('=') + 1);
  return std::any_of(others.begin(), others.end(),
                     [&](const std::string& other) { return other.starts_with(begin); });
}

pid_t start(const std::string& command, std::vector<std::string> variables, int input,
            const sigset_t& mask) {
  std::vector<char*> environment;
  environment.reserve(variables.size());
  for (std::string& variable : variables) environment.push_back(variable.data());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_named_in(*variable, variables)) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  const std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
  const SpawnSettings settings(input, mask);
  pid_t pid = 0;
  check(::posix_spawn(&pid, "/bin/sh", settings.actions(), settings.attributes(), arguments.data(),
                      environment.data()),
        "cannot run /bin/sh");
  return pid;
}

/// Ends a command and what it has started, which are a process group.
void stop(pid_t pid, int process) {
  constexpr int kPatienceMs = 2000;
  ::kill(-pid, SIGTERM);
  pollfd waited{process, POLLIN, 0};
  if (::poll(&waited, 1, kPatienceMs) == 0) ::kill(-pid, SIGKILL);
}

/// The end of a child as the shell has it in $?.
int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("waitpid");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::vector<std::string> environment_of(const Json& object) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : object.items()) {
    // WATCHQ_MOUNT says where the daemon is.
    std::string variable = "WATCHQ_";
    variable += name == "mount" ? "mount_id" : name;
    std::transform(variable.begin(), variable.end(), variable.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    std::string text = text_of(value);
    // A text of the kernel has none, and an environment cannot.
    text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
    variables.push_back(variable.append("=").append(text));
  }
  return variables;
}

int time_left(std::optional<std::chrono::steady_clock::time_point> deadline) {
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(
      std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

CommandRunner::End CommandRunner::run(
    const Json& object, std::optional<std::chrono::steady_clock::time_point> deadline) {
  const UniqueFd input = input_of(json_line(object) + '\n');
  const pid_t pid = start(command_, environment_of(object), input.get(), signals_.mask_before());
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  End end;
  if (process.valid()) {
    std::array<pollfd, 2> waited = {{{process.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}}};
    int ready = 0;
    do {
      ready = ::poll(waited.data(), waited.size(), time_left(deadline));
    } while (ready < 0 && errno == EINTR);
    end.interrupted = waited[0].revents == 0;
    if (end.interrupted) stop(pid, process.get());
  }
  end.status = reap(pid);
  if (end.status != 0 && !end.interrupted) ++failures_;
  return end;
}

}  // namespace watchq
