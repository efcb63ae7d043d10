// SPDX-License-Identifier: MIT
#include "tool/watched.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

#include "tool/read_file.h"

namespace watchq {
namespace {

constexpr std::size_t kPageBytes = 4096;  // of rings, whatever the machine's pages are
// An event with its detail takes some 150 bytes: about 1700 of them.
constexpr std::size_t kStormPages = 64;
constexpr std::size_t kMaxPages = 4096;

/// A keyring with what is linked below it.
int watch_key(int fd, std::int32_t key, int tag) {
  if (::watchq_watch_key(key, fd, tag, WATCHQ_DETAIL | WATCHQ_CHILDREN) == 0) return 0;
  // A key that is no keyring has nothing below it.
  return errno == EINVAL ? ::watchq_watch_key(key, fd, tag, WATCHQ_DETAIL) : -1;
}

int watch(const watchq_queue* queue, const Watched& watched, int tag,
          const std::optional<FreeThreshold>& free) {
  const int fd = ::watchq_fd(queue);
  if (watched.what == Watched::What::key) return watch_key(fd, watched.key, tag);
  const char* path = watched.path.c_str();
  std::uint32_t flags = WATCHQ_DETAIL | WATCHQ_SNAPSHOT;
  if (watched.what == Watched::What::mounts) {
    return ::watchq_watch_mount(AT_FDCWD, path, 0, fd, tag, flags);
  }
  if (watched.what == Watched::What::all_superblocks) flags |= WATCHQ_ALL;
  if (!free) return ::watchq_watch_sb(AT_FDCWD, path, 0, fd, tag, flags);
  return ::watchq_watch_sb_space(AT_FDCWD, path, 0, fd, tag, flags, free->kind, free->value);
}

/// "the mounts under /a, /b": the paths of one kind of watch.
void append(std::string& text, const std::vector<Watched>& all, Watched::What what,
            const char* begin) {
  std::string list;
  for (const Watched& watched : all) {
    if (watched.what == what) list += (list.empty() ? "" : ", ") + watched.path;
  }
  if (!list.empty()) text += (text.empty() ? "" : " and ") + (begin + list);
}

}  // namespace

Queue open_queue(const std::string& directory, unsigned int& pages) {
  const std::string path = directory + "/" WATCHQ_QUEUE_NAME;
  Queue queue(::watchq_open(path.c_str(), pages));
  // The daemon may be set to give less.
  while (!queue && (errno == EINVAL || errno == ENOSPC) && pages > WATCHQ_DEFAULT_PAGES) {
    pages /= 2;
    queue.reset(::watchq_open(path.c_str(), pages));
  }
  if (!queue) throw cannot_open(directory, WATCHQ_QUEUE_NAME, errno);
  return queue;
}

unsigned int ring_pages_for(std::size_t watches) {
  const std::string mounts = read_file("/proc/self/mountinfo");
  // A record has 16 bytes, its detail 40 and much the same texts as the line.
  const auto lines = static_cast<std::size_t>(std::count(mounts.begin(), mounts.end(), '\n'));
  const std::size_t bytes = watches * (lines * 64 + mounts.size()) + kStormPages * kPageBytes;
  return static_cast<unsigned int>(
      std::bit_ceil(std::clamp<std::size_t>(bytes / kPageBytes, kStormPages, kMaxPages)));
}

int set_watch(const watchq_queue* queue, const Watched& watched, int tag,
              const std::optional<FreeThreshold>& free) {
  return watch(queue, watched, tag, free) == 0 ? 0 : errno;
}

bool set_ring_filter(const watchq_queue* queue,
                     const std::vector<watch_notification_type_filter>& entries) {
  const int fd = ::watchq_fd(queue);
  if (entries.empty()) return ::watchq_set_filter(fd, nullptr) == 0;
  // The entries follow the header in memory.
  watch_notification_filter header{};
  header.nr_filters = static_cast<std::uint32_t>(entries.size());
  const std::size_t size = entries.size() * sizeof entries.front();
  std::vector<std::uint32_t> whole((sizeof header + size) / sizeof(std::uint32_t));
  std::memcpy(whole.data(), &header, sizeof header);
  std::memcpy(reinterpret_cast<std::byte*>(whole.data()) + sizeof header, entries.data(), size);
  return ::watchq_set_filter(fd, reinterpret_cast<watch_notification_filter*>(whole.data())) == 0;
}

bool is_told_by_name(const Watched& watched) {
  return watched.what == Watched::What::superblock || watched.what == Watched::What::key;
}

bool has_snapshot(const Watched& watched) { return watched.what != Watched::What::key; }

Failure cannot_watch(const Watched& watched, int error) {
  std::string object = watched.path;
  const char* what = "filesystems";
  if (watched.what == Watched::What::all_superblocks) object = "all filesystems";
  if (watched.what == Watched::What::mounts) what = "mounts";
  if (watched.what == Watched::What::key) {
    what = "keys";
    object = "key " + object;
  }
  std::string reason = std::system_category().message(error);
  if (error == EBUSY) reason = "it is named twice";
  if (error == EOPNOTSUPP) {
    reason = std::string("the daemon cannot see ") + what + " here; 'watchq status' says why";
  }
  return {ExitStatus::failed, "cannot watch " + object + ": " + reason};
}

std::string list_of(const std::vector<Watched>& all) {
  std::string text;
  append(text, all, Watched::What::mounts, "the mounts under ");
  append(text, all, Watched::What::superblock, "the filesystems of ");
  append(text, all, Watched::What::key, "key ");
  for (const Watched& watched : all) {
    if (watched.what != Watched::What::all_superblocks) continue;
    text += text.empty() ? "all filesystems" : " and all filesystems";
  }
  return text;
}

}  // namespace watchq
