// SPDX-License-Identifier: MIT
#include "kernel/peer.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "base/error.h"
#include "kernel/local_filesystem.h"
#include "kernel/mount_namespace_fd.h"
#include "kernel/mountinfo.h"
#include "kernel/pidfd.h"

namespace watchq {
namespace {

std::string proc_path(pid_t thread, const char* name) {
  return "/proc/" + std::to_string(thread) + "/" + name;
}

std::string fd_path(pid_t thread, int fd) {
  return proc_path(thread, ("fd/" + std::to_string(fd)).c_str());
}

void require_visible(pid_t thread) {
  if (thread <= 0) throw RequestError(EPERM, "the caller is in a pid namespace that we cannot see");
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> text;
  const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
  if (length < 0) return std::nullopt;
  return std::string(text.data(), static_cast<std::size_t>(length));
}

/// What stands behind "NAME:" in a thread's status; nothing where there is none.
std::string status_field(pid_t thread, const std::string& name) {
  std::ifstream status(proc_path(thread, "status"));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  }
  return {};
}

bool is_local(const std::optional<MountInfo>& mount) {
  return mount && is_local_filesystem(mount->fs_type);
}

pid_t pid_in(const std::string& text) {
  return static_cast<pid_t>(std::strtol(text.c_str(), nullptr, 10));
}

}  // namespace

UniqueFd Peer::copy_descriptor(int fd) const {
  require_visible(thread_);
  constexpr unsigned int kThread = O_EXCL;  // PIDFD_THREAD, since Linux 6.9
  UniqueFd of(static_cast<int>(::syscall(SYS_pidfd_open, thread_, kThread)));
  if (!of.valid()) {
    // Of the process then, where its first thread has the same descriptors.
    const pid_t leader = process();
    of.reset(open_pidfd(leader));
    if (!of.valid() || ::syscall(SYS_kcmp, leader, thread_, KCMP_FILES, 0, 0) != 0) {
      throw RequestError(EPERM, "looking at the caller's descriptors");
    }
  }
  UniqueFd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, of.get(), fd, 0)));
  if (copy.valid()) return copy;
  throw RequestError(errno == EBADF ? EBADF : EPERM, "copying the caller's descriptor");
}

pid_t Peer::process() const { return pid_in(status_field(thread_, "Tgid")); }

std::vector<gid_t> Peer::groups() const {
  if (thread_ <= 0) return {};
  std::istringstream text(status_field(thread_, "Groups"));
  return {std::istream_iterator<gid_t>(text), {}};
}

pid_t parent_process(pid_t process) { return pid_in(status_field(process, "PPid")); }

UniqueFd Peer::open_object(int fd) const {
  require_visible(thread_);
  // O_PATH: a copy of the client's own open file would be flushed when we close it, for which a
  // FUSE server can have us wait for ever, and not even be killed.
  UniqueFd object(::open(fd_path(thread_, fd).c_str(), O_PATH | O_CLOEXEC));
  if (object.valid()) return object;
  throw RequestError(errno == ENOENT ? EBADF : EPERM, "open of the caller's descriptor");
}

UniqueFd Peer::open_root() const {
  require_visible(thread_);
  UniqueFd root(::open(proc_path(thread_, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) throw RequestError(EPERM, "open of the caller's root directory");
  return root;
}

std::optional<std::string> Peer::path_of(int fd) const { return read_link(fd_path(thread_, fd)); }

bool Peer::is_on_local_filesystem(const OpenObject& object) const {
  try {
    if (object.mount) {
      return is_local(query_mount(*object.mount, mount_namespace_id(mount_namespace().get()),
                                  MountDetail::all_but_mount_point));
    }
  } catch (const std::system_error&) {
    // Before Linux 6.11 one mount is found among all of them, of which there may be very many.
  }
  return is_local(mount(object.mount_id));
}

std::optional<MountInfo> Peer::mount(std::uint32_t mount_id) const {
  const UniqueFd file(::open(proc_path(thread_, "mountinfo").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  return find_mount(read_mountinfo(file.get()), mount_id);
}

UniqueFd Peer::mount_namespace() const {
  require_visible(thread_);
  UniqueFd fd(::open(proc_path(thread_, "ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw RequestError(EPERM, "open of the caller's mount namespace");
  return fd;
}

std::string Peer::root() const {
  // Read, not followed: a root on a dead server would have us wait for it.
  const auto root = read_link(proc_path(thread_, "root"));
  if (!root) throw RequestError(EPERM, "the caller's root directory");
  return *root;
}

bool Peer::shares_pid_namespace() const {
  return read_link(proc_path(thread_, "ns/pid")) == read_link("/proc/self/ns/pid");
}

void Peer::read_memory(std::uint64_t address, std::span<std::byte> into) const {
  require_visible(thread_);
  iovec local{into.data(), into.size()};
  iovec remote{reinterpret_cast<void*>(address), into.size()};
  const ssize_t got = ::process_vm_readv(thread_, &local, 1, &remote, 1, 0);
  if (got < 0 && errno == EPERM) throw RequestError(EPERM, "reading the caller's memory");
  if (got != static_cast<ssize_t>(into.size())) {
    throw RequestError(EFAULT, "reading the caller's memory");
  }
}

}  // namespace watchq
