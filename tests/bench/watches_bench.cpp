// SPDX-License-Identifier: MIT
// A client that has many watches or queues, and stays until its standard input ends; or that
// measures one thing and says how long it took, in nanoseconds. kUsage says what there is.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/two_processes.h"
#include "kernel/fanotify.h"

namespace watchq::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_watches QUEUE DIRECTORY WHAT, which is\n"
    "N           watches N directories below, with one queue\n"
    "N queues    opens N queues that watch nothing\n"
    "superblock  watches the superblock\n"
    "key         watches the user's keyring\n"
    "open        how long until a queue is ready, and a fanotify group\n"
    "snapshot    how long until all mounts below have been told\n";

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

watchq_queue* open_queue(const char* path, unsigned pages = 1) {
  watchq_queue* queue = watchq_open(path, pages);
  if (queue == nullptr) give_up(path);
  return queue;
}

void watch(const watchq_queue* queue, const std::string& directory, unsigned flags = 0) {
  if (watchq_watch_mount(AT_FDCWD, directory.c_str(), 0, watchq_fd(queue), 1, flags) != 0) {
    give_up("watchq_watch_mount");
  }
}

void stay() {
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

void hold_watches(const char* path, const std::string& directory, int count) {
  const watchq_queue* queue = open_queue(path);
  for (int at = 0; at < count; ++at) {
    // Not all in one directory, as those of users are not.
    const std::string above = directory + "/" + std::to_string(at / 1000);
    if (at % 1000 == 0) ::mkdir(above.c_str(), 0755);
    const std::string watched = above + "/" + std::to_string(at % 1000);
    ::mkdir(watched.c_str(), 0755);
    watch(queue, watched);
  }
  stay();
}

void hold_queues(const char* path, int count) {
  for (int at = 0; at < count; ++at) open_queue(path);
  stay();
}

void hold_superblock(const char* path, const std::string& directory) {
  const watchq_queue* queue = open_queue(path);
  if (watchq_sb_notify(AT_FDCWD, directory.c_str(), 0, watchq_fd(queue), 1) != 0) {
    give_up("watchq_sb_notify");
  }
  stay();
}

void hold_key(const char* path) {
  const watchq_queue* queue = open_queue(path);
  if (watchq_keyctl_watch_key(KEY_SPEC_USER_KEYRING, watchq_fd(queue), 1) != 0) {
    give_up("watchq_keyctl_watch_key");
  }
  stay();
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure_open(const char* path, const std::string& directory) {
  std::vector<std::uint64_t> ours;
  std::vector<std::uint64_t> theirs;
  watchq_queue* kept = open_queue(path);
  watch(kept, directory);  // so that the namespace is known
  for (int round = 0; round < 101; ++round) {
    std::uint64_t began = now_ns();
    watchq_queue* queue = open_queue(path);
    watch(queue, directory);
    ours.push_back(now_ns() - began);
    watchq_close(queue);
    began = now_ns();
    const UniqueFd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    const UniqueFd group = open_mount_fanotify(own.get());
    theirs.push_back(now_ns() - began);
  }
  std::printf("{\"ns\":%llu,\"fanotify_ns\":%llu}\n", static_cast<unsigned long long>(median(ours)),
              static_cast<unsigned long long>(median(theirs)));
}

void measure_snapshot(const char* path, const std::string& directory) {
  watchq_queue* queue = open_queue(path, 4096);
  const std::uint64_t began = now_ns();
  watch(queue, directory, WATCHQ_SNAPSHOT);
  std::uint64_t mounts = 0;
  for (;;) {
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    if (watchq_wait(queue, 60'000) != 1) give_up("watchq_wait");
    while (watchq_next(queue, &record, &length) == 1) {
      if (watchq_record_lost_before(record) != 0) give_up("a record was lost");
      if (record->type == WATCHQ_TYPE_SNAPSHOT) {
        std::printf("{\"ns\":%llu,\"mounts\":%llu}\n",
                    static_cast<unsigned long long>(now_ns() - began),
                    static_cast<unsigned long long>(mounts));
        return;
      }
      ++mounts;
    }
  }
}

}  // namespace
}  // namespace watchq::bench

int main(int argc, char** argv) {
  using namespace watchq::bench;
  if (argc < 4) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::string what = argv[3];
  if (what == "superblock") {
    hold_superblock(argv[1], argv[2]);
  } else if (what == "key") {
    hold_key(argv[1]);
  } else if (what == "open") {
    measure_open(argv[1], argv[2]);
  } else if (what == "snapshot") {
    measure_snapshot(argv[1], argv[2]);
  } else if (argc > 4) {
    hold_queues(argv[1], std::atoi(argv[3]));
  } else {
    hold_watches(argv[1], argv[2], std::atoi(argv[3]));
  }
}
