// SPDX-License-Identifier: MIT
// Many at once: threads that poll, processes that hand descriptors on, readers that are woken.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "hostile/attacker.h"

namespace watchq {
namespace {

void inject(int fd) {
  const watch_notification record{5, 1, 8};
  ::watchq_inject(fd, &record, sizeof record);
}

bool send_descriptors(int socket, std::span<const int> fds) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

std::vector<UniqueFd> receive_descriptors(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  std::vector<UniqueFd> received;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return received;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return received;
  std::vector<int> fds((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(fds.data(), CMSG_DATA(header), fds.size() * sizeof(int));
  for (const int fd : fds) received.emplace_back(fd);
  return received;
}

void ignore_signal(int) {}

}  // namespace

void pass_descriptors(Attacker& attacker) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  std::vector<UniqueFd> queues;
  std::vector<int> fds;
  for (std::size_t count = 1 + attacker.below(15); count > 0; --count) {
    UniqueFd fd = attacker.open_queue(attacker.chance(50) ? O_RDWR : O_RDONLY | O_NONBLOCK);
    if (!fd.valid()) break;
    ::watchq_watch_mount(attacker.target().base_fd, "", AT_EMPTY_PATH, fd.get(), 1, 0);
    fds.push_back(fd.get());
    queues.push_back(std::move(fd));
  }
  if (fds.empty()) return;
  // One that is in flight within itself only the kernel's garbage collection closes.
  if (attacker.chance(20)) fds[0] = ours.get();
  send_descriptors(ours.get(), fds);
  attacker.did(fds.size());
  if (attacker.chance(50)) return;  // they are closed in flight
  const pid_t child = ::fork();
  if (child > 0 && attacker.chance(50)) return;
  std::array<std::byte, 600> bytes;
  for (const UniqueFd& fd : receive_descriptors(theirs.get())) {
    ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 1UL);
    inject(fd.get());
    static_cast<void>(::read(fd.get(), bytes.data(), attacker.below(bytes.size())));
    attacker.did();
  }
  if (child == 0) ::_exit(0);
}

void crowd_polls(Attacker& attacker) {
  std::vector<UniqueFd> queues;
  for (int count = 0; count < 4; ++count) {
    UniqueFd fd = attacker.open_queue(attacker.chance(70) ? O_RDWR : O_RDONLY);
    if (!fd.valid()) return;
    ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 1UL);
    queues.push_back(std::move(fd));
  }
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (const UniqueFd& fd : queues) {
    epoll_event event{};
    event.events = EPOLLIN | (attacker.chance(50) ? EPOLLET : EPOLLONESHOT);
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event);
  }
  std::atomic<std::uint64_t> polls{0};
  std::vector<std::thread> threads;
  for (unsigned int number = 0; number < attacker.target().threads; ++number) {
    threads.emplace_back([&, seed = attacker.draw()] {
      std::minstd_rand random(static_cast<unsigned int>(seed));
      for (int round = 0; round < 20; ++round) {
        std::array<pollfd, 4> waited{};
        for (std::size_t at = 0; at < waited.size(); ++at) {
          waited[at] = {queues[at].get(), static_cast<short>(random()), 0};
        }
        epoll_event event{};
        if (random() % 4 == 0) {
          ::epoll_wait(epoll.get(), &event, 1, static_cast<int>(random() % 5));
        } else {
          ::poll(waited.data(), waited.size(), static_cast<int>(random() % 5));
        }
        ++polls;
      }
    });
  }
  for (int round = 0; round < 50; ++round) inject(queues[attacker.below(queues.size())].get());
  if (attacker.chance(30)) ::close(queues[0].get());  // while it is being polled
  for (std::thread& thread : threads) thread.join();
  attacker.did(polls.load());
}

void read_and_be_interrupted(Attacker& attacker) {
  struct sigaction action {};
  action.sa_handler = ignore_signal;
  ::sigaction(SIGUSR1, &action, nullptr);
  const UniqueFd fd = attacker.open_queue(O_RDONLY);
  if (!fd.valid()) return;
  std::atomic<std::size_t> running{0};
  std::vector<std::thread> threads;
  for (unsigned int number = 0; number < 8; ++number) {
    ++running;
    threads.emplace_back([&, size = attacker.below(600)] {
      std::array<std::byte, 600> bytes;
      for (int round = 0; round < 10; ++round) {
        if (::read(fd.get(), bytes.data(), size) < 0 && errno != EINTR && errno != EINVAL) break;
      }
      --running;
    });
  }
  while (running.load() != 0) {
    for (std::thread& thread : threads) ::pthread_kill(thread.native_handle(), SIGUSR1);
    inject(fd.get());
    attacker.did();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace watchq
