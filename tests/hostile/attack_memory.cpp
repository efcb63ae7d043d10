// SPDX-License-Identifier: MIT
// What a client does to its mapping.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "hostile/attacker.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;

/// A mapped ring, and the words in it.
class Scribbled {
 public:
  Scribbled(Attacker& attacker, int fd, std::size_t pages)
      : attacker_(attacker), size_(pages * kPage) {
    words_ = static_cast<volatile std::uint32_t*>(
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  }
  Scribbled(const Scribbled&) = delete;
  Scribbled& operator=(const Scribbled&) = delete;
  ~Scribbled() {
    if (valid()) ::munmap(const_cast<std::uint32_t*>(words_), size_);
  }
  [[nodiscard]] bool valid() const { return words_ != MAP_FAILED; }

  /// Head, tail and mask are words 2 to 4.
  void step() {
    const auto any = static_cast<std::uint32_t>(attacker_.draw());
    const auto odd = static_cast<std::uint32_t>(attacker_.odd_number());
    switch (attacker_.below(10)) {
      case 0:
        words_[2] = attacker_.chance(50) ? any : words_[2] + any % 64;
        break;
      case 1:
        words_[3] = attacker_.chance(50) ? any : words_[2] - any % 1024;
        break;
      case 2:
        words_[4] = odd;
        break;
      case 3:  // the metadata's own header
        words_[any % 2] = odd;
        break;
      case 4:
      case 5:
        words_[any % (size_ / 4)] = attacker_.chance(50) ? any : odd;
        break;
      case 6:
        std::memset(const_cast<std::uint32_t*>(words_), any & 0xff, any % size_);
        break;
      default:  // as an honest one does: else nothing more comes
        words_[3] = words_[2];
    }
    attacker_.did();
  }

 private:
  Attacker& attacker_;
  std::size_t size_;
  volatile std::uint32_t* words_;
};

void inject_some(Attacker& attacker, int fd) {
  watchq_injection injection{};
  injection.size = sizeof injection;
  const auto slots = static_cast<std::uint32_t>(1 + attacker.below(63));
  injection.length = slots * 8;
  const watch_notification header{static_cast<std::uint32_t>(attacker.below(6)) & 0xffffff,
                                  static_cast<std::uint32_t>(attacker.below(8)) & 0xff, slots * 8};
  std::memcpy(injection.record, &header, sizeof header);
  ::ioctl(fd, WATCHQ_IOC_INJECT, &injection);
  attacker.did();
}

}  // namespace

void scribble(Attacker& attacker) {
  const UniqueFd fd = attacker.open_queue(O_RDWR);
  const std::size_t pages = std::size_t{1} << attacker.below(6);
  if (!fd.valid() || ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, pages) != 0) return;
  Scribbled ring(attacker, fd.get(), pages);
  if (!ring.valid()) return;
  ::watchq_watch_mount(attacker.target().base_fd, "", AT_EMPTY_PATH, fd.get(), 3,
                       attacker.chance(50) ? WATCHQ_DETAIL : 0);
  const bool with_child = attacker.chance(30);
  const pid_t child = with_child ? ::fork() : -1;
  const std::size_t rounds = attacker.below(2000);
  for (std::size_t round = 0; round < rounds; ++round) {
    ring.step();
    if (attacker.chance(10)) inject_some(attacker, fd.get());
    if (attacker.chance(5)) {
      pollfd waited{fd.get(), POLLIN, 0};
      ::poll(&waited, 1, static_cast<int>(attacker.below(2)));
    }
  }
  if (child == 0) ::_exit(0);
}

void map_oddly(Attacker& attacker) {
  const UniqueFd fd = attacker.open_queue(attacker.chance(80) ? O_RDWR : O_RDONLY);
  if (!fd.valid()) return;
  if (attacker.chance(70)) ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 1UL << attacker.below(5));
  constexpr int kProtections[] = {PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
                                  PROT_READ | PROT_EXEC};
  constexpr int kKinds[] = {MAP_SHARED,
                            MAP_PRIVATE,
                            MAP_SHARED_VALIDATE,
                            MAP_SHARED | MAP_POPULATE,
                            MAP_SHARED | MAP_NONBLOCK | MAP_POPULATE,
                            MAP_SHARED | MAP_LOCKED};
  const std::size_t size = (1 + attacker.below(24)) * kPage;
  auto* map = static_cast<std::byte*>(::mmap(nullptr, size, attacker.one_of(kProtections),
                                             attacker.one_of(kKinds), fd.get(),
                                             static_cast<off_t>(attacker.below(20) * kPage)));
  if (map == MAP_FAILED) return;
  for (std::size_t round = attacker.below(40); round > 0; --round) {
    std::byte* const at = map + attacker.below(size / kPage) * kPage;
    const std::size_t length = (1 + attacker.below(8)) * kPage;
    switch (attacker.below(9)) {
      case 0:
        ::mprotect(at, length, attacker.one_of(kProtections));
        break;
      case 1:  // MADV_REMOVE punches, 16 and more are for huge pages, poison needs rights
        ::madvise(at, length, static_cast<int>(attacker.below(26)));
        break;
      case 2:
        ::madvise(at, length, MADV_REMOVE);
        break;
      case 3:
        ::msync(at, length, MS_SYNC);
        break;
      case 4:
        if (void* moved = ::mremap(at, kPage, length, MREMAP_MAYMOVE); moved != MAP_FAILED) {
          ::munmap(moved, length);
        }
        break;
      case 5:
        ::remap_file_pages(at, kPage, 0, attacker.below(8), 0);
        break;
      case 6:
        ::mlock(at, length);
        break;
      case 7:
        ::ftruncate(fd.get(), static_cast<off_t>(attacker.odd_number() & 0x7fffffff));
        break;
      default:  // most likely the end of this process
        if (attacker.chance(20)) *reinterpret_cast<volatile char*>(at) = 1;
    }
    attacker.did();
  }
  ::munmap(map, size);
}

}  // namespace watchq
