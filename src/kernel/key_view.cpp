// SPDX-License-Identifier: MIT
#include "kernel/key_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/take_until.h"
#include "kernel/key_view_reader.h"

namespace watchq {
namespace {

constexpr std::uint32_t kPossessorMayView = 0x01000000;
constexpr std::uint32_t kUserMayView = 0x00010000;
constexpr std::uint32_t kGroupMayView = 0x00000100;

/// The file is a `keys` of procfs: of whatever pid namespace, the number of that file is the same.
bool is_proc_keys(int fd) {
  struct statfs filesystem {};
  struct stat file {};
  struct stat own {};
  return ::fstatfs(fd, &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC &&
         ::fstat(fd, &file) == 0 && ::stat("/proc/keys", &own) == 0 && file.st_ino == own.st_ino &&
         S_ISREG(file.st_mode);
}

std::vector<KeyLine> pick_lines(std::string_view text, const std::vector<std::int32_t>& keys) {
  std::vector<KeyLine> lines;
  while (!text.empty()) {
    const std::string_view written = take_until(text, '\n');
    const std::string_view digits = written.substr(0, 8);
    std::uint32_t key = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), key, 16);
    if (std::binary_search(keys.begin(), keys.end(), static_cast<std::int32_t>(key))) {
      if (auto line = parse_key_line(written)) lines.push_back(*std::move(line));
    }
  }
  return lines;
}

/// A key that lives as long as this, linked in our own empty session keyring alone.
class ProbeKey {
 public:
  /// Makes it a key of the calling thread's user. Throws std::system_error.
  ProbeKey() {
    std::array<std::uint64_t, 2> random{};
    ::syscall(SYS_getrandom, random.data(), sizeof random, 0);
    const std::string name = "watchqd:" + std::to_string(random[0]) + std::to_string(random[1]);
    key_ = static_cast<std::int32_t>(
        ::syscall(SYS_add_key, "user", name.c_str(), "?", 1, KEY_SPEC_SESSION_KEYRING));
    if (key_ < 0) throw_errno("making a key to see who opened /proc/keys");
  }
  ProbeKey(const ProbeKey&) = delete;
  ProbeKey& operator=(const ProbeKey&) = delete;
  ~ProbeKey() {
    // It goes at once, and with it what it took of the quota.
    ::syscall(SYS_keyctl, KEYCTL_UNLINK, key_, KEY_SPEC_SESSION_KEYRING);
  }

  void give_to_group(gid_t group) const {
    if (::syscall(SYS_keyctl, KEYCTL_CHOWN, key_, -1, group) != 0) throw_errno("keyctl chown");
  }
  void permit(std::uint32_t permissions) const {
    if (::syscall(SYS_keyctl, KEYCTL_SETPERM, key_, permissions) != 0) {
      throw_errno("keyctl setperm");
    }
  }

  [[nodiscard]] std::int32_t serial() const { return key_; }

 private:
  std::int32_t key_ = -1;
};

/// A key that this user alone may view.
std::unique_ptr<const ProbeKey> make_probe_of(const KeyRights& rights) {
  const BorrowedIds ids(rights);
  auto probe = std::make_unique<const ProbeKey>();
  probe->permit(kUserMayView);
  return probe;
}

/// The names in a directory of /proc that are numbers.
std::vector<int> numbers_in(const std::string& path) {
  std::vector<int> numbers;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = ::readdir(directory)) {
    const char* name = entry->d_name;
    int number = 0;
    const auto [end, error] = std::from_chars(name, name + std::strlen(name), number);
    if (error == std::errc() && *end == '\0') numbers.push_back(number);
  }
  ::closedir(directory);
  return numbers;
}

bool is_link_to_keys(const std::string& path) {
  std::array<char, 256> target;
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length > 0 &&
         std::string_view(target.data(), static_cast<std::size_t>(length)).ends_with("/keys");
}

/// Whether a process has the same open file as `fd` of process `of`.
bool holds(pid_t process, pid_t of, int fd) {
  const std::string directory = "/proc/" + std::to_string(process) + "/fd";
  for (const int number : numbers_in(directory)) {
    if (is_link_to_keys(directory + "/" + std::to_string(number)) &&
        ::syscall(SYS_kcmp, process, of, KCMP_FILE, number, fd) == 0) {
      return true;
    }
  }
  return false;
}

/// Whether a process was forked by the other, directly or not.
bool descends_from(pid_t process, pid_t ancestor) {
  std::set<pid_t> seen;
  while (process > 1 && seen.insert(process).second) {
    process = parent_process(process);
    if (process == ancestor) return true;
  }
  return false;
}

/// Whether others of the user have this open file too, so that one of them may have opened it.
/// What the client's own children have they have from the client.
bool is_shared(pid_t client, int fd, uid_t user) {
  for (const int process : numbers_in("/proc")) {
    struct stat owner {};
    const std::string directory = "/proc/" + std::to_string(process);
    if (process == client || process == ::getpid() || ::stat(directory.c_str(), &owner) != 0 ||
        (owner.st_uid != user && owner.st_uid != 0)) {
      continue;
    }
    if (!holds(process, client, fd)) continue;
    // Ours have it for us, as does one that has been forked and is not what it is to be yet.
    if (!descends_from(process, client) && !descends_from(process, ::getpid())) return true;
  }
  return false;
}

}  // namespace

KeyView::KeyView(const Peer& client, int fd, uid_t user) : user_(user) {
  // First what it is open on: a copy of any other open file might have to be flushed by its server
  // when we close it.
  if (!is_proc_keys(client.open_object(fd).get())) {
    throw RequestError(EINVAL, "the view is not an open /proc/keys");
  }
  file_ = client.copy_descriptor(fd);
  const int flags = ::fcntl(file_.get(), F_GETFL);
  if (!is_proc_keys(file_.get()) || (flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) {
    throw RequestError(EINVAL, "the view is not an open /proc/keys");
  }
}

bool KeyView::is_opened_by(const Peer& client, int fd, const KeyRights& rights) const {
  const std::unique_ptr<const ProbeKey> probe = make_probe_of(rights);
  try {
    if (!shows(probe->serial())) return false;
  } catch (const RequestError&) {
    return false;
  }
  return !is_shared(client.process(), fd, rights.user);
}

std::vector<KeyLine> KeyView::lines_of(const std::vector<std::int32_t>& keys) const {
  return pick_lines(read_view(file_.get(), user_).value_or(std::string()), keys);
}

std::vector<std::int32_t> KeyView::keys() const {
  std::vector<std::int32_t> keys;
  for (const KeyLine& line :
       parse_key_lines(read_view(file_.get(), user_).value_or(std::string()))) {
    keys.push_back(line.key);
  }
  return keys;
}

bool KeyView::shows(std::int32_t key) const {
  const auto text = read_view(file_.get(), user_);
  if (!text) throw RequestError(ETIMEDOUT, "reading the view");
  return !pick_lines(*text, {key}).empty();
}

bool KeyView::is_possessed(const KeyLine& line, const KeyRights& rights) const {
  const KeyDescription& key = line.described;
  if ((key.permissions & kPossessorMayView) == 0) return false;
  const bool in_group =
      key.group == rights.group ||
      std::find(rights.groups.begin(), rights.groups.end(), key.group) != rights.groups.end();
  if ((key.permissions & kGroupMayView) == 0 || in_group) return true;
  try {
    const ProbeKey probe;
    probe.give_to_group(key.group);
    probe.permit(kGroupMayView);
    return !shows(probe.serial());
  } catch (const std::system_error&) {
    return false;  // then nobody knows
  }
}

std::vector<std::int32_t> visible_keys() {
  const UniqueFd file(::open("/proc/keys", O_RDONLY | O_CLOEXEC));
  std::vector<std::int32_t> keys;
  if (!file.valid()) return keys;
  for (const KeyLine& line : parse_key_lines(read_whole(file.get()))) keys.push_back(line.key);
  return keys;
}

std::vector<KeyLine> visible_lines(const std::vector<std::int32_t>& keys) {
  const UniqueFd file(::open("/proc/keys", O_RDONLY | O_CLOEXEC));
  return file.valid() ? pick_lines(read_whole(file.get()), keys) : std::vector<KeyLine>();
}

}  // namespace watchq
