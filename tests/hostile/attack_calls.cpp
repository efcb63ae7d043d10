// SPDX-License-Identifier: MIT
// Calls on a queue: any number, any argument, and arguments that change or never come.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "hostile/attacker.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;

/// Two pages of which the second may not be touched.
class Edge {
 public:
  Edge() {
    void* map =
        ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) ::_exit(0);
    start_ = static_cast<std::byte*>(map);
    ::mprotect(start_ + kPage, kPage, PROT_NONE);
  }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;
  ~Edge() { ::munmap(start_, 2 * kPage); }
  [[nodiscard]] std::byte* start() const { return start_; }
  [[nodiscard]] std::byte* before_end(std::size_t bytes) const { return start_ + kPage - bytes; }

 private:
  std::byte* start_;
};

void fill(Attacker& attacker, std::span<std::byte> bytes) {
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    const auto word = static_cast<std::uint32_t>(attacker.chance(60) ? 0 : attacker.odd_number());
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
}

constexpr unsigned long kOurs[] = {IOC_WATCH_QUEUE_SET_SIZE, IOC_WATCH_QUEUE_SET_FILTER,
                                   WATCHQ_IOC_MOUNT_NOTIFY,  WATCHQ_IOC_SB_NOTIFY,
                                   WATCHQ_IOC_SB_WATCH,      WATCHQ_IOC_KEY_NOTIFY,
                                   WATCHQ_IOC_INJECT,        WATCHQ_IOC_SET_FILTER};

/// One of our calls, with a size that need not be its own.
unsigned long any_call(Attacker& attacker) {
  const unsigned long call = attacker.one_of(kOurs);
  if (attacker.chance(60)) return call;
  return _IOC(_IOC_DIR(call), _IOC_TYPE(call), _IOC_NR(call),
              attacker.odd_number() & _IOC_SIZEMASK);
}

/// Writes an argument that one of the calls may even take.
void write_likely(Attacker& attacker, unsigned long call, int queue, std::byte* into) {
  watchq_sb_watch watch{};
  watch.watch.size =
      static_cast<std::uint32_t>(attacker.chance(70) ? _IOC_SIZE(call) : attacker.odd_number());
  watch.watch.object = attacker.any_object(queue);
  watch.watch.tag = static_cast<std::int32_t>(attacker.below(260)) - 2;
  watch.watch.flags = static_cast<std::uint32_t>(attacker.below(16));
  watch.threshold_kind = static_cast<std::uint32_t>(attacker.below(4));
  watch.threshold = attacker.odd_number();
  if (_IOC_NR(call) == _IOC_NR(IOC_WATCH_QUEUE_SET_FILTER)) {
    const std::uint32_t header[] = {static_cast<std::uint32_t>(attacker.below(18)), 0};
    std::memcpy(into, header, sizeof header);
  } else {
    std::memcpy(into, &watch, sizeof watch);
  }
}

UniqueFd open_some_queue(Attacker& attacker) {
  UniqueFd fd = attacker.open_queue(attacker.chance(70) ? O_RDWR : O_RDONLY);
  if (fd.valid() && attacker.chance(70)) ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 2UL);
  return fd;
}

}  // namespace

void call_anything(Attacker& attacker) {
  const UniqueFd fd = open_some_queue(attacker);
  if (!fd.valid()) return;
  const Edge edge;
  for (std::size_t round = attacker.below(100); round > 0; --round) {
    const unsigned long call =
        _IOC(attacker.below(4), attacker.chance(80) ? 's' : attacker.below(256),
             attacker.below(256), attacker.odd_number() & _IOC_SIZEMASK);
    fill(attacker, {edge.start(), kPage});
    void* const arguments[] = {edge.before_end(attacker.below(1024)), edge.start(), nullptr,
                               reinterpret_cast<void*>(attacker.odd_number()), edge.before_end(0)};
    ::ioctl(fd.get(), call, attacker.one_of(arguments));
    attacker.did();
  }
}

void call_ours(Attacker& attacker) {
  const UniqueFd fd = open_some_queue(attacker);
  if (!fd.valid()) return;
  const Edge edge;
  // An argument in a ring of one's own: to read it, the daemon asks itself for a page.
  const UniqueFd ring = attacker.open_queue(O_RDWR);
  ::ioctl(ring.get(), IOC_WATCH_QUEUE_SET_SIZE, 2UL);
  void* const mapped =
      ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, ring.get(), 0);
  for (std::size_t round = attacker.below(60); round > 0; --round) {
    const unsigned long call = any_call(attacker);
    std::byte* const argument = edge.before_end(attacker.chance(50) ? 1024 : attacker.below(64));
    std::array<std::byte, 1024> bytes{};
    if (attacker.chance(30)) fill(attacker, bytes);
    write_likely(attacker, call, fd.get(), bytes.data());
    std::memcpy(argument, bytes.data(),
                std::min<std::size_t>(bytes.size(),
                                      static_cast<std::size_t>(edge.before_end(0) - argument)));
    void* const arguments[] = {
        argument, argument, argument, nullptr,
        mapped == MAP_FAILED ? argument : static_cast<std::byte*>(mapped) + 4096};
    ::ioctl(fd.get(), call, attacker.one_of(arguments));
    attacker.did();
  }
  if (mapped != MAP_FAILED) ::munmap(mapped, 2 * kPage);
}

void race_arguments(Attacker& attacker) {
  const UniqueFd fd = open_some_queue(attacker);
  if (!fd.valid()) return;
  const Edge edge;
  std::atomic<bool> stop{false};
  // The other thread has chances of its own: ours are for one.
  std::thread other([&, seed = attacker.draw()] {
    std::minstd_rand random(static_cast<unsigned int>(seed));
    while (!stop.load()) {
      auto* const words = reinterpret_cast<volatile std::uint32_t*>(edge.start());
      words[random() % 64] = static_cast<std::uint32_t>(random() % 20);
      if (random() % 64 == 0) ::madvise(edge.start(), kPage, MADV_DONTNEED);
      if (random() % 256 == 0) {
        // Gone, and back: the write above may end this process, as it likes.
        ::mprotect(edge.start(), kPage, PROT_NONE);
        ::mprotect(edge.start(), kPage, PROT_READ | PROT_WRITE);
      }
    }
  });
  for (std::size_t round = 20 + attacker.below(100); round > 0; --round) {
    ::ioctl(fd.get(), any_call(attacker), edge.start());
    attacker.did();
  }
  stop.store(true);
  other.join();
}

}  // namespace watchq
