// SPDX-License-Identifier: MIT
//
// asio: a watch queue as a C++20 coroutine of Boost.Asio, beside whatever else a program waits for.
//
// Prints what happens to the mounts at and below a path and to the filesystems of all of them: what
// is there first, then what changes. Where records were lost it asks again for what is there.
//
//	c++ -std=c++20 asio.cpp -o asio $(pkg-config --cflags --libs watchq) -pthread
//	./asio [--queue FILE] [--pages N] [PATH]
//
//	$ ./asio /srv
//	watching /srv
//	mount new_mount /srv/data
//	snapshot complete
//	snapshot complete
//	superblock readonly /srv/data now read-only
#include <fcntl.h>
#include <watchq/watchq.h>

// clang-format off
#include <utility> // before Boost 1.74, which needs it and does not include it
#include <boost/asio.hpp>
// clang-format on
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace asio = boost::asio;

namespace {

enum Tag : int { kMounts = 1, kSuperblocks = 2 };

void check(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

// A copy of the start of a record, as what its type says.
template <typename Record>
Record as(const watch_notification* record) {
  Record copy;
  std::memcpy(&copy, record, sizeof copy);
  return copy;
}

// The next record, or none. It lies in the ring until the next call.
const watch_notification* next(watchq_queue* queue) {
  const watch_notification* record = nullptr;
  std::size_t length = 0;
  const int found = watchq_next(queue, &record, &length);
  check(found, "the ring");
  return found == 1 ? record : nullptr;
}

std::string describe(const watch_notification* record) {
  const char* type = watchq_type_name(record->type);
  const char* subtype = watchq_subtype_name(record->type, record->subtype);
  return std::string(type != nullptr ? type : "unknown") + " " +
         (subtype != nullptr ? subtype : "unknown");
}

// What is behind the path in the line: whether read-only, and which error.
std::string describe_state(const watch_notification* record) {
  const bool flagged = (record->info & WATCH_INFO_FLAG_0) != 0;
  const bool is_superblock = record->type == WATCH_TYPE_SB_NOTIFY;
  if (is_superblock && record->subtype == NOTIFY_SUPERBLOCK_ERROR) {
    const auto number = as<superblock_error_notification>(record).error_number;
    const char* name = strerrorname_np(static_cast<int>(number));
    return std::string(" error ") + (name != nullptr ? name : std::to_string(number));
  }
  const bool is_readonly = is_superblock ? record->subtype == NOTIFY_SUPERBLOCK_READONLY
                                         : record->subtype == NOTIFY_MOUNT_READONLY;
  return is_readonly ? (flagged ? " now read-only" : " now read-write") : "";
}

// The mount point in a detail record.
std::string path_in(const watch_notification* detail) {
  const std::size_t offset = detail->subtype == WATCH_TYPE_MOUNT_NOTIFY
                                 ? as<watchq_mount_detail>(detail).mount_point
                                 : as<watchq_superblock_detail>(detail).mount_point;
  return offset == 0 ? "?" : reinterpret_cast<const char*>(detail) + offset;
}

// Asked the first time this sets the watches, and asked again it has everything told again.
void ask(int fd, const std::string& path) {
  constexpr unsigned int kFlags = WATCHQ_DETAIL | WATCHQ_SNAPSHOT;
  check(watchq_watch_mount(AT_FDCWD, path.c_str(), 0, fd, kMounts, kFlags), path);
  check(watchq_watch_sb(AT_FDCWD, path.c_str(), 0, fd, kSuperblocks, kFlags | WATCHQ_ALL), path);
}

// Prints all records that there are. Returns whether some were lost before one of them.
bool print_records(watchq_queue* queue) {
  bool lost = false;
  while (const watch_notification* record = next(queue)) {
    lost = lost || watchq_record_lost_before(record) != 0;
    if (record->type == WATCHQ_TYPE_SNAPSHOT) {
      std::cout << "snapshot complete\n";
    } else if (record->type == WATCHQ_TYPE_LOST) {
      std::cout << "lost " << as<watchq_lost_notification>(record).lost << " records\n";
    } else if (record->type == WATCH_TYPE_MOUNT_NOTIFY || record->type == WATCH_TYPE_SB_NOTIFY) {
      const std::string what = describe(record);
      const std::string state = describe_state(record);
      // It is in the ring together with the record that it explains.
      const watch_notification* detail = next(queue);
      if (detail == nullptr) throw std::runtime_error("the ring lacks a detail");
      std::cout << what << " " << path_in(detail) << state << "\n";
    } else {
      std::cout << describe(record) << "\n";
    }
  }
  std::cout << std::flush;
  return lost;
}

asio::awaitable<void> watch(std::string file, unsigned int pages, std::string path) {
  const std::unique_ptr<watchq_queue, decltype(&watchq_close)> queue(
      watchq_open(file.empty() ? nullptr : file.c_str(), pages), &watchq_close);
  if (!queue) check(-1, file.empty() ? "the queue" : file);
  const int fd = watchq_fd(queue.get());
  asio::posix::stream_descriptor waited(co_await asio::this_coro::executor, fd);
  std::cout << "watching " << path << std::endl;
  ask(fd, path);
  for (;;) {
    // Until there is nothing left: only then does waiting mean waiting for more.
    while (print_records(queue.get())) ask(fd, path);
    if (watchq_wait(queue.get(), 0) < 0) break;
    co_await waited.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  }
  waited.release();
  throw std::system_error(errno, std::generic_category(), "the daemon has gone");
}

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  std::string path = "/";
  unsigned int pages = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--queue" && i + 1 < argc) {
      file = argv[++i];
    } else if (word == "--pages" && i + 1 < argc) {
      pages = static_cast<unsigned int>(std::strtoul(argv[++i], nullptr, 10));
    } else {
      path = word;
    }
  }
  asio::io_context io(1);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code& error, int) {
    if (!error) io.stop();
  });
  asio::co_spawn(io, watch(file, pages, path), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  try {
    io.run();
  } catch (const std::exception& error) {
    std::cerr << "asio: " << error.what() << "\n";
    return 1;
  }
}
