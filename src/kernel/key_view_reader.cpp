// SPDX-License-Identifier: MIT
#include "kernel/key_view_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

#include "base/error.h"
#include "base/unique_fd.h"
#include "kernel/pidfd.h"
#include "kernel/start_self.h"

namespace watchq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPatienceMs = 1000;
constexpr std::chrono::seconds kRest{60};
/// When there are more, those that nobody uses are ended.
constexpr std::size_t kMostReaders = 64;

struct Descriptors {
  std::array<int, 2> fds{-1, -1};  // what to read, where to write
};

/// A message of a byte with room for descriptors.
struct DescriptorMessage {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof Descriptors::fds)> control{};
  msghdr message{};

  DescriptorMessage() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  DescriptorMessage(const DescriptorMessage&) = delete;
  DescriptorMessage& operator=(const DescriptorMessage&) = delete;
};

bool send_descriptors(int socket, const Descriptors& descriptors) {
  DescriptorMessage envelope;
  msghdr& message = envelope.message;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors.fds);
  std::memcpy(CMSG_DATA(header), descriptors.fds.data(), sizeof descriptors.fds);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

bool receive_descriptors(int socket, Descriptors& descriptors) {
  DescriptorMessage envelope;
  msghdr& message = envelope.message;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof descriptors.fds)) return false;
  std::memcpy(descriptors.fds.data(), CMSG_DATA(header), sizeof descriptors.fds);
  return true;
}

bool write_whole(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t wrote = ::write(fd, text.data() + written, text.size() - written);
    if (wrote < 0) return false;
    written += static_cast<std::size_t>(wrote);
  }
  return true;
}

/// A process that reads for one user, one file at a time.
class Reader {
 public:
  ~Reader() { end(); }

  std::optional<std::string> read(int fd) {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < rests_until_) return std::nullopt;
    try {
      if (!socket_.valid()) start();
      return ask(fd);
    } catch (const std::system_error&) {
      end();
      return std::nullopt;
    }
  }

 private:
  void start() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw_errno("socketpair");
    }
    socket_.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    process_ = start_self(theirs.get(), kViewReaderArgument);
  }

  std::optional<std::string> ask(int fd) {
    const UniqueFd into(::memfd_create("watchqd-keys", MFD_CLOEXEC));
    if (!into.valid()) throw_errno("memfd_create");
    if (!send_descriptors(socket_.get(), {{fd, into.get()}})) throw_errno("asking a reader");
    pollfd answered{socket_.get(), POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&answered, 1, kPatienceMs)) < 0 && errno == EINTR) {
    }
    char done = 0;
    if (ready == 1 && ::recv(socket_.get(), &done, 1, 0) == 1 && done == 1) {
      return read_whole(into.get());
    }
    if (ready == 0) rests_until_ = Clock::now() + kRest;
    end();
    return std::nullopt;
  }

  /// It may be that the process cannot be ended: then nobody waits for it.
  void end() {
    socket_.reset();
    if (!process_.valid()) return;
    send_signal(process_.get(), SIGKILL);
    siginfo_t info{};
    pollfd ended{process_.get(), POLLIN, 0};
    if (::poll(&ended, 1, 100) == 1) {
      ::waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED | WNOHANG);
    }
    process_.reset();
  }

  std::mutex mutex_;
  UniqueFd socket_;
  UniqueFd process_;
  Clock::time_point rests_until_;
};

std::shared_ptr<Reader> reader_of(uid_t user) {
  // Never destroyed: threads that wait for one may outlive all else.
  static auto& mutex = *new std::mutex;
  static auto& readers = *new std::map<uid_t, std::shared_ptr<Reader>>;
  const std::lock_guard lock(mutex);
  if (readers.size() > kMostReaders) {
    // Those that nobody uses at this moment.
    std::erase_if(readers, [&](const auto& entry) {
      return entry.first != user && entry.second.use_count() == 1;
    });
  }
  auto& reader = readers[user];
  if (reader == nullptr) reader = std::make_shared<Reader>();
  return reader;
}

}  // namespace

std::string read_whole(int fd) {
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    // Of its own position: the file may be in use by others too.
    const ssize_t got = ::pread(fd, part.data(), part.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

std::optional<std::string> read_view(int fd, uid_t user) { return reader_of(user)->read(fd); }

int run_view_reader(int socket) {
  ::prctl(PR_SET_NAME, "watchqd-keys");
  Descriptors descriptors;
  while (receive_descriptors(socket, descriptors)) {
    UniqueFd from(descriptors.fds[0]);
    const UniqueFd into(descriptors.fds[1]);
    const char done = write_whole(into.get(), read_whole(from.get())) ? 1 : 0;
    // Who looks for others that have it open is not to find us.
    from.reset();
    if (::send(socket, &done, 1, MSG_NOSIGNAL) != 1) break;
  }
  return 0;
}

}  // namespace watchq
