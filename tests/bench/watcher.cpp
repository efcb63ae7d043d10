// SPDX-License-Identifier: MIT
#include "bench/watcher.h"

#include <fcntl.h>
#include <libmount/libmount.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "bench/two_processes.h"
#include "kernel/fanotify.h"
#include "kernel/mount_namespace_fd.h"
#include "kernel/mount_query.h"

namespace watchq::bench {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  ::_exit(1);
}

void stamp(Seen& seen, std::uint64_t events) {
  seen.last_ns.store(now_ns(), std::memory_order_relaxed);
  seen.events.fetch_add(events, std::memory_order_release);
}

void say_ready(Seen& seen) { seen.ready.store(true, std::memory_order_release); }

/// Mount records, of which a read-only change and others are none.
bool is_mount_or_umount(const watch_notification& record) {
  return record.type == WATCH_TYPE_MOUNT_NOTIFY &&
         (record.subtype == NOTIFY_MOUNT_NEW_MOUNT || record.subtype == NOTIFY_MOUNT_UNMOUNT);
}

watchq_queue* open_watching(const WatcherTask& task) {
  watchq_queue* queue = watchq_open(task.queue.c_str(), task.pages);
  if (queue == nullptr) give_up(task.queue.c_str());
  if (watchq_mount_notify(AT_FDCWD, task.directory.c_str(), 0, watchq_fd(queue), 1) != 0) {
    give_up("watchq_mount_notify");
  }
  return queue;
}

/// Returns how many mounts and umounts there were.
std::uint64_t take_records(watchq_queue* queue, Seen& seen) {
  const watch_notification* record = nullptr;
  std::size_t length = 0;
  std::uint64_t count = 0;
  int found = 0;
  while ((found = watchq_next(queue, &record, &length)) == 1) {
    if (watchq_record_lost_before(record) != 0) seen.losses.fetch_add(1);
    if (is_mount_or_umount(*record)) ++count;
  }
  if (found < 0) give_up("watchq_next");
  return count;
}

void watch_by_library(const WatcherTask& task, Seen& seen) {
  watchq_queue* queue = open_watching(task);
  unsigned sleep_ms = task.sleep_ms;
  say_ready(seen);
  for (;;) {
    if (watchq_wait(queue, -1) != 1) give_up("watchq_wait");
    if (sleep_ms != 0) ::usleep(std::exchange(sleep_ms, 0) * 1000);
    if (const auto events = take_records(queue, seen)) stamp(seen, events);
  }
}

void watch_by_spinning(const WatcherTask& task, Seen& seen) {
  watchq_queue* queue = open_watching(task);
  const Spin spin(usable_cores().size() < 2);
  say_ready(seen);
  for (;;) {
    if (const auto events = take_records(queue, seen)) {
      stamp(seen, events);
    } else {
      spin.wait();
    }
  }
}

void watch_by_poll(const WatcherTask& task, Seen& seen) {
  watchq_queue* queue = open_watching(task);
  pollfd waited{watchq_fd(queue), POLLIN, 0};
  say_ready(seen);
  for (;;) {
    if (const auto events = take_records(queue, seen)) stamp(seen, events);
    if (::poll(&waited, 1, -1) != 1) give_up("poll");
  }
}

/// Waits for all of these files at once and calls `take` with the number of each that is ready.
template <typename Take>
[[noreturn]] void serve_by_epoll(const std::vector<int>& files, Take take) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::uint32_t at = 0; at < files.size(); ++at) {
    epoll_event wanted{};
    wanted.events = EPOLLIN | EPOLLET;  // each is emptied when it is told
    wanted.data.u32 = at;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, files[at], &wanted) != 0) give_up("epoll_ctl");
  }
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0) give_up("epoll_wait");
    for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
      take(event.data.u32);
    }
  }
}

void watch_by_epoll(const WatcherTask& task, Seen* seen) {
  std::vector<watchq_queue*> queues;
  std::vector<int> files;
  for (unsigned at = 0; at < task.queues; ++at) {
    queues.push_back(open_watching(task));
    files.push_back(watchq_fd(queues.back()));
    say_ready(seen[at]);
  }
  serve_by_epoll(files, [&](std::uint32_t at) {
    if (const auto events = take_records(queues[at], seen[at])) stamp(seen[at], events);
  });
}

/// Takes what a fanotify group has, and asks what each mount is. Returns how many events there
/// were.
std::size_t take_changes(int group, std::uint64_t namespace_id, Seen& seen) {
  const auto changes = read_mount_changes(group);
  for (const MountChange& change : changes) {
    if (change.overflow) seen.losses.fetch_add(1);
    if (change.attached) query_mount(change.mount, namespace_id, MountDetail::all);
  }
  if (!changes.empty()) stamp(seen, changes.size());
  return changes.size();
}

void watch_by_fanotify_epoll(const WatcherTask& task, Seen* seen) {
  const int own = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const std::uint64_t namespace_id = mount_namespace_id(own);
  std::vector<int> files;
  for (unsigned at = 0; at < task.queues; ++at) {
    files.push_back(open_mount_fanotify(own).release());
    say_ready(seen[at]);
  }
  serve_by_epoll(files, [&](std::uint32_t at) { take_changes(files[at], namespace_id, seen[at]); });
}

/// What a program does that has only the kernel: reads the events and asks what each mount is.
void watch_by_fanotify(Seen& seen, bool spins) {
  const int own = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const std::uint64_t namespace_id = mount_namespace_id(own);
  const UniqueFd group = open_mount_fanotify(own);
  pollfd waited{group.get(), POLLIN, 0};
  const Spin spin(usable_cores().size() < 2);
  say_ready(seen);
  for (;;) {
    if (take_changes(group.get(), namespace_id, seen) != 0) continue;
    if (spins) {
      spin.wait();
    } else {
      ::poll(&waited, 1, -1);
    }
  }
}

/// Reads it again as a whole, whenever the kernel says that something has changed; looks at none of
/// it, which is the least that anybody can do.
void watch_by_mountinfo(Seen& seen) {
  const int file = ::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  std::vector<char> text(1 << 16);
  pollfd waited{file, POLLPRI, 0};
  say_ready(seen);
  for (;;) {
    ::lseek(file, 0, SEEK_SET);
    while (::read(file, text.data(), text.size()) > 0) {
    }
    stamp(seen, 1);
    ::poll(&waited, 1, -1);
  }
}

void watch_by_libmount(Seen& seen) {
  libmnt_monitor* monitor = mnt_new_monitor();
  if (monitor == nullptr || mnt_monitor_enable_kernel(monitor, 1) != 0) give_up("libmount");
  say_ready(seen);
  for (;;) {
    libmnt_table* table = mnt_new_table_from_file("/proc/self/mountinfo");
    mnt_unref_table(table);
    stamp(seen, 1);
    if (mnt_monitor_wait(monitor, -1) < 0) give_up("mnt_monitor_wait");
    mnt_monitor_event_cleanup(monitor);
  }
}

void become_findmnt(Seen& seen) {
  const int nowhere = ::open("/dev/null", O_RDWR);
  ::dup2(nowhere, STDOUT_FILENO);
  say_ready(seen);
  ::execlp("findmnt", "findmnt", "--poll", "-n", "-o", "ACTION,TARGET", nullptr);
  give_up("findmnt");
}

}  // namespace

bool counts_events(const std::string& kind) {
  return kind.starts_with("watchq") || kind.starts_with("fanotify");
}

void watch_for_ever(const WatcherTask& task, Seen* seen) {
  if (task.kind == "watchq") watch_by_library(task, *seen);
  if (task.kind == "watchq-spin") watch_by_spinning(task, *seen);
  if (task.kind == "watchq-poll") watch_by_poll(task, *seen);
  if (task.kind == "watchq-epoll") watch_by_epoll(task, seen);
  if (task.kind == "fanotify") watch_by_fanotify(*seen, false);
  if (task.kind == "fanotify-spin") watch_by_fanotify(*seen, true);
  if (task.kind == "fanotify-epoll") watch_by_fanotify_epoll(task, seen);
  if (task.kind == "mountinfo") watch_by_mountinfo(*seen);
  if (task.kind == "libmount") watch_by_libmount(*seen);
  if (task.kind == "findmnt") become_findmnt(*seen);
  std::fprintf(stderr, "no such kind of watcher: %s\n", task.kind.c_str());
  ::_exit(1);
}

}  // namespace watchq::bench
