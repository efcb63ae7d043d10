// SPDX-License-Identifier: MIT
#include "fuse/fusermount.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/memfd.h"

namespace watchq {
namespace {

constexpr const char* kProgram = "fusermount3";
/// The socket through which it hands the device over is this descriptor of it.
constexpr int kSocketThere = 3;

/// Runs the program to its end and returns its exit code; what it complains about goes to
/// `messages`. Its environment is ours and `socket`, if there is one.
int run(std::vector<std::string> words, int socket, int messages) {
  words.insert(words.begin(), kProgram);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string communication = "_FUSE_COMMFD=" + std::to_string(kSocketThere);
  std::vector<char*> environment{communication.data()};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.push_back(*variable);
  }
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  if (socket >= 0) posix_spawn_file_actions_adddup2(&actions, socket, kSocketThere);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, kProgram, &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::runtime_error(std::string("cannot run ") + kProgram + " (" +
                             std::system_category().message(error) + "); install fuse3");
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The one descriptor that lies in a socket; none when there is nothing.
UniqueFd receive_descriptor(int socket) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 0;
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return UniqueFd();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return UniqueFd(fd);
}

std::string text_in(int file) {
  std::array<char, 512> text;
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  std::string line(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return line.substr(0, line.find('\n'));
}

}  // namespace

UniqueFd mount_by_fusermount(const std::string& path, const std::string& options) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw_errno("socketpair");
  }
  const UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const UniqueFd messages = create_memfd("watchq-fusermount");
  const int code = run({"-o", options, "--", path}, theirs.get(), messages.get());
  theirs.reset();
  UniqueFd device = receive_descriptor(ours.get());
  if (code != 0 || !device.valid()) {
    const std::string text = text_in(messages.get());
    throw std::runtime_error(path + ": " + (text.empty() ? "fusermount3 failed" : text) +
                             "; the directory must be your own, and fusermount3 be set-user-ID "
                             "root as the package fuse3 installs it");
  }
  const int flags = ::fcntl(device.get(), F_GETFL);
  if (::fcntl(device.get(), F_SETFL, flags | O_NONBLOCK) != 0) throw_errno("fcntl(O_NONBLOCK)");
  return device;
}

bool unmount_by_fusermount(const std::string& path) {
  try {
    const UniqueFd messages = create_memfd("watchq-fusermount");
    return run({"-u", "-z", "--", path}, -1, messages.get()) == 0;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace watchq
