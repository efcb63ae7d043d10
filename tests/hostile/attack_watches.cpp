// SPDX-License-Identifier: MIT
// Watches without end, arguments that never come, and namespaces that come and go.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <thread>
#include <vector>

#include "hostile/attacker.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;

/// A page whose reader waits until this process ends. Null where that cannot be had.
void* page_that_never_comes() {
  const int handler = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  if (handler < 0) return nullptr;
  uffdio_api api{};
  api.api = UFFD_API;
  void* map = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register registered{};
  registered.range.start = reinterpret_cast<std::uint64_t>(map);
  registered.range.len = kPage;
  registered.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (::ioctl(handler, UFFDIO_API, &api) != 0 ||
      ::ioctl(handler, UFFDIO_REGISTER, &registered) != 0) {
    return nullptr;
  }
  return map;  // and nobody ever reads the handler
}

bool write_text(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// In a user namespace of our own we have all rights over nothing.
bool enter_own_namespaces() {
  const std::string user = "0 " + std::to_string(::getuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getgid()) + " 1";
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/uid_map", user) &&
         write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", group);
}

}  // namespace

void prepare_stalls(Attacker& attacker) { attacker.set_stalled_page(page_that_never_comes()); }

void stall_arguments(Attacker& attacker) {
  void* const page = attacker.stalled_page();
  if (page == nullptr || !attacker.chance(20)) return;
  const UniqueFd fd = attacker.open_queue(O_RDWR);
  if (!fd.valid()) return;
  // Only the first of the user's calls in this process ever comes back: by its end.
  std::vector<std::thread> threads;
  for (int number = 0; number < 6; ++number) {
    threads.emplace_back([&, number] {
      if (number % 2 == 0) {
        ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_FILTER, page);
      } else {
        // The start is there and its end is not.
        watchq_watch watch{4096, -1, 1, 0};
        ::ioctl(fd.get(), WATCHQ_IOC_MOUNT_NOTIFY, &watch);
        static_cast<void>(::write(fd.get(), page, 16));
      }
    });
  }
  attacker.did(threads.size());
  ::usleep(static_cast<useconds_t>(attacker.below(20'000)));
  ::_exit(0);
}

void watch_and_forget(Attacker& attacker) {
  const UniqueFd fd = attacker.open_queue(attacker.chance(60) ? O_RDWR : O_RDONLY);
  if (!fd.valid()) return;
  ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 4UL);
  const std::string& yard = attacker.target().yard;
  for (std::size_t round = attacker.below(80); round > 0; --round) {
    std::string path = yard + "/" + std::to_string(attacker.below(20));
    ::mkdir(path.c_str(), 0777);
    if (attacker.chance(60)) ::mkdir((path += "/below").c_str(), 0777);
    const auto tag = static_cast<int>(attacker.below(4)) - 1;
    const auto flags = static_cast<std::uint32_t>(attacker.below(16));
    switch (attacker.below(5)) {
      case 0:
        ::watchq_watch_sb(AT_FDCWD, attacker.chance(50) ? path.c_str() : "/", 0, fd.get(), tag,
                          flags);
        break;
      case 1:
        ::rename(path.c_str(), (yard + "/" + std::to_string(attacker.below(20))).c_str());
        break;
      case 2:
        ::rmdir(path.c_str());
        break;
      case 3:
        ::watchq_watch_mount(attacker.target().base_fd, "", AT_EMPTY_PATH, fd.get(), tag, flags);
        break;
      default:
        ::watchq_watch_mount(AT_FDCWD, attacker.chance(70) ? path.c_str() : "/", 0, fd.get(), tag,
                             flags);
    }
    attacker.did();
  }
}

void move_house(Attacker& attacker) {
  if (!attacker.chance(30)) return;
  // One at a time: the kernel copies namespaces one after the other, and all who mount wait.
  const pid_t child = ::fork();
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (child != 0) return;
  if (!enter_own_namespaces()) ::_exit(0);
  const std::string& yard = attacker.target().yard;
  static_cast<void>(::mount("mine", yard.c_str(), "tmpfs", 0, nullptr));
  const UniqueFd fd = attacker.open_queue(O_RDWR);
  ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 4UL);
  const std::size_t rounds = attacker.below(60);
  for (std::size_t round = 0; round < rounds; ++round) {
    const std::string path = yard + "/" + std::to_string(attacker.below(8));
    ::mkdir(path.c_str(), 0777);
    switch (attacker.below(6)) {
      case 0:
        ::watchq_watch_mount(AT_FDCWD, attacker.chance(50) ? "/" : path.c_str(), 0, fd.get(), 1,
                             static_cast<std::uint32_t>(attacker.below(16)));
        break;
      case 1:
        ::watchq_watch_sb(AT_FDCWD, path.c_str(), 0, fd.get(), 1,
                          static_cast<std::uint32_t>(attacker.below(16)));
        break;
      case 2:
        ::umount2(path.c_str(), MNT_DETACH);
        break;
      case 3:
        list_oddly(attacker);
        break;
      case 4:
        if (attacker.chance(20)) static_cast<void>(::chroot(path.c_str()));
        break;
      default:
        static_cast<void>(::mount("mine", path.c_str(), "tmpfs", 0, nullptr));
    }
    attacker.did();
  }
  ::_exit(0);
}

}  // namespace watchq
