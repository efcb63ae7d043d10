// SPDX-License-Identifier: MIT
#include "source/key_names.h"

#include <linux/keyctl.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace watchq {
namespace {

constexpr std::size_t kMostNames = 10000;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What tells a program that a task runs from all others that it ran before, or that had its
/// number: when it was started, and where its stack and code begin, which each start puts elsewhere
/// (proc(5), /proc/PID/stat). Empty when it is gone.
std::string program_of(const std::string& task) {
  const std::string stat = contents(task + "/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(stat.substr(name_end + 1));
  // Fields are counted from 1 there, and the third comes first here.
  constexpr int kFirst = 3;
  constexpr int kStarted = 22;
  constexpr int kCode = 26;
  constexpr int kStack = 28;
  std::string found;
  std::string field;
  for (int number = kFirst; number <= kStack && rest >> field; ++number) {
    if (number == kStarted || number == kCode || number == kStack) found += " " + field;
  }
  return found;
}

/// The user who runs it, and the namespace in which that is one. Empty when it is gone.
std::string user_of(const std::string& task) {
  const std::string status = contents(task + "/status");
  const auto at = status.find("\nUid:\t");
  std::error_code error;
  const auto space = std::filesystem::read_symlink(task + "/ns/user", error);
  if (at == std::string::npos || error) return {};
  const auto begin = at + std::string_view("\nUid:\t").size();
  return status.substr(begin, status.find('\t', begin) - begin) + " " + space.string();
}

}  // namespace

std::optional<std::string> KeyNames::owner(const KeyDeed& deed, std::int32_t name) const {
  const std::string process = proc_ + "/" + std::to_string(deed.process);
  const std::string thread = process + "/task/" + std::to_string(deed.thread);
  std::string found;
  switch (name) {
    case KEY_SPEC_THREAD_KEYRING:
    case KEY_SPEC_SESSION_KEYRING:
      found = program_of(thread);
      if (!found.empty()) found = std::to_string(deed.thread) + found;
      break;
    case KEY_SPEC_PROCESS_KEYRING:
      found = program_of(process);
      if (!found.empty()) found = std::to_string(deed.process) + found;
      break;
    case KEY_SPEC_USER_KEYRING:
    case KEY_SPEC_USER_SESSION_KEYRING:
      found = user_of(thread);
      break;
    default:
      break;  // the group's is not implemented by kernels, the others are of one request
  }
  return found.empty() ? std::nullopt : std::optional(found);
}

void KeyNames::learn(const KeyDeed& deed) {
  const auto whose = owner(deed, deed.key);
  if (!whose) return;
  if (names_.size() >= kMostNames) names_.clear();
  names_[{*whose, deed.key}] = deed.aux;
}

std::optional<KeySerial> KeyNames::resolve(const KeyDeed& deed, std::int32_t key) const {
  if (key > 0) return key;
  const auto whose = owner(deed, key);
  if (!whose) return std::nullopt;
  const auto found = names_.find({*whose, key});
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace watchq
