// SPDX-License-Identifier: MIT
#include "kernel/mountinfo.h"

#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/take_until.h"

namespace watchq {
namespace {

/// The next word of a line; empty at its end.
std::string_view next_word(std::string_view& line) {
  const auto start = std::min(line.find_first_not_of(' '), line.size());
  const auto end = std::min(line.find(' ', start), line.size());
  const auto word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

template <typename Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

/// Space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view word) {
  std::string text;
  for (std::size_t at = 0; at < word.size(); ++at) {
    unsigned value = 0;
    const char* digits = word.data() + at + 1;
    if (word[at] == '\\' && word.size() - at > 3 &&
        std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3 && value < 256) {
      text += static_cast<char>(value);
      at += 3;
    } else {
      text += word[at];
    }
  }
  return text;
}

std::uint64_t attributes_of(std::string_view options) {
  constexpr std::pair<std::string_view, std::uint64_t> kNames[] = {
      {"ro", MOUNT_ATTR_RDONLY},       {"nosuid", MOUNT_ATTR_NOSUID},
      {"nodev", MOUNT_ATTR_NODEV},     {"noexec", MOUNT_ATTR_NOEXEC},
      {"noatime", MOUNT_ATTR_NOATIME}, {"nodiratime", MOUNT_ATTR_NODIRATIME},
      {"idmapped", MOUNT_ATTR_IDMAP},  {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW},
  };
  // Updating access times strictly is what no word is written for.
  std::uint64_t attributes = MOUNT_ATTR_STRICTATIME;
  while (!options.empty()) {
    const auto option = take_until(options, ',');
    if (option == "relatime" || option == "noatime") {
      attributes &= ~std::uint64_t{MOUNT_ATTR_STRICTATIME};
    }
    for (const auto& [name, attribute] : kNames) {
      if (option == name) attributes |= attribute;
    }
  }
  return attributes;
}

/// One of the words between the mount's options and the separator.
void read_optional(std::string_view word, MountInfo& info) {
  const auto colon = word.find(':');
  const auto name = word.substr(0, colon);
  const auto value = colon == std::string_view::npos ? "" : word.substr(colon + 1);
  if (name == "shared") {
    info.propagation |= MS_SHARED;
    read_number(value, info.peer_group);
  } else if (name == "master") {
    info.propagation |= MS_SLAVE;
    read_number(value, info.master);
  } else if (name == "unbindable") {
    info.propagation |= MS_UNBINDABLE;
  }
}

std::optional<MountInfo> parse_line(std::string_view line) {
  MountInfo info;
  if (!read_number(next_word(line), info.id) || !read_number(next_word(line), info.parent_id)) {
    return std::nullopt;
  }
  info.mount = info.id;
  info.parent = info.parent_id;
  info.device = next_word(line);
  info.root = unescape(next_word(line));
  info.mount_point = unescape(next_word(line));
  info.attributes = attributes_of(next_word(line));
  std::string_view word = next_word(line);
  for (; !word.empty() && word != "-"; word = next_word(line)) read_optional(word, info);
  if (word.empty()) return std::nullopt;
  if (info.propagation == 0) info.propagation = MS_PRIVATE;
  info.fs_type = unescape(next_word(line));
  info.source = unescape(next_word(line));
  info.superblock_options = unescape(next_word(line));
  return info;
}

FuseAccess fuse_access(std::string_view options) {
  FuseAccess access;
  while (!options.empty()) {
    const auto option = take_until(options, ',');
    constexpr std::string_view kUser = "user_id=";
    constexpr std::string_view kGroup = "group_id=";
    if (option == "allow_other") access.for_all = true;
    if (option.starts_with(kUser)) read_number(option.substr(kUser.size()), access.user);
    if (option.starts_with(kGroup)) read_number(option.substr(kGroup.size()), access.group);
  }
  return access;
}

}  // namespace

std::vector<MountInfo> parse_mountinfo(std::string_view text) {
  std::vector<MountInfo> infos;
  while (!text.empty()) {
    if (auto info = parse_line(take_until(text, '\n'))) infos.push_back(*std::move(info));
  }
  return infos;
}

std::optional<MountInfo> find_mount(std::string_view text, std::uint32_t id) {
  const std::string first = std::to_string(id) + ' ';
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (line.starts_with(first)) return parse_line(line);
  }
  return std::nullopt;
}

dev_t device_number(std::string_view device) {
  const auto colon = std::min(device.find(':'), device.size());
  unsigned int major = 0;
  unsigned int minor = 0;
  if (!read_number(device.substr(0, colon), major) || colon == device.size() ||
      !read_number(device.substr(colon + 1), minor)) {
    return 0;
  }
  return gnu_dev_makedev(major, minor);
}

SuperblockMounts superblock_mounts(std::string_view text, std::string_view device) {
  SuperblockMounts found;
  const std::string word = ' ' + std::string(device) + ' ';
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    // To parse a line takes far longer than to see that it is another's, as nearly all are.
    if (line.find(word) == std::string_view::npos) continue;
    auto info = parse_line(line);
    if (!info || info->device != device) continue;
    if (info->fs_type == "fuse" || info->fs_type.starts_with("fuse.")) {
      found.fuse = fuse_access(line.substr(line.rfind(' ') + 1));
    }
    found.mounts.push_back(*std::move(info));
  }
  return found;
}

std::string read_mountinfo(int fd) {
  if (::lseek(fd, 0, SEEK_SET) != 0) throw_errno("lseek of mountinfo");
  std::string text;
  std::size_t used = 0;
  for (;;) {
    text.resize(used + 65536);
    const ssize_t got = ::read(fd, text.data() + used, text.size() - used);
    if (got < 0) throw_errno("read of mountinfo");
    used += static_cast<std::size_t>(got);
    text.resize(used);
    if (got == 0) return text;
  }
}

}  // namespace watchq
