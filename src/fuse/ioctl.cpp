// SPDX-License-Identifier: MIT
// The calls on a queue. Arguments are copied in once, then checked, then used.
#include <watchq/watch_queue.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "dispatch/dispatcher.h"
#include "fuse/answer_patiently.h"
#include "fuse/arguments.h"
#include "fuse/filesystem.h"
#include "kernel/open_object.h"
#include "source/superblock_scout.h"

namespace watchq {
namespace {

/// A directory that is to be watched.
struct Watched {
  OpenObject directory;
  std::shared_ptr<const FollowedDirectory> followed;
};

/// A file whose superblock is to be watched. Lets its trace go with the end of this.
struct ExaminedObject {
  OpenObject object;
  ExaminedSuperblock found;

  explicit ExaminedObject(std::shared_ptr<SuperblockExaminer> by) : examiner_(std::move(by)) {}
  ExaminedObject(ExaminedObject&& other) noexcept
      : object(std::move(other.object)),
        found(std::exchange(other.found, {})),
        examiner_(std::move(other.examiner_)) {}
  ExaminedObject& operator=(ExaminedObject&&) = delete;
  ~ExaminedObject() {
    if (examiner_ != nullptr) examiner_->release(found);
  }

 private:
  std::shared_ptr<SuperblockExaminer> examiner_;
};

/// Whether a command is this call: the size is part of these commands' numbers and grows with the
/// argument.
bool is_call(unsigned int command, unsigned long known) {
  return _IOC_DIR(command) == _IOC_DIR(known) && _IOC_TYPE(command) == _IOC_TYPE(known) &&
         _IOC_NR(command) == _IOC_NR(known);
}

/// Reads `first` bytes of the caller's memory and what `more` asks for behind them. Patient work.
std::vector<std::byte> read_memory(const Peer& caller, std::uint64_t address, std::size_t first,
                                   std::size_t (*more)(std::span<const std::byte>)) {
  std::vector<std::byte> bytes(first);
  caller.read_memory(address, bytes);
  if (const std::size_t rest = more(bytes); rest != 0) {
    bytes.resize(first + rest);
    caller.read_memory(address + first, std::span(bytes).subspan(first));
  }
  return bytes;
}

/// Patient work, like the next.
void require_zero_memory(const Peer& caller, std::uint64_t address, std::size_t bytes) {
  require_zero(read_memory(caller, address, bytes,
                           [](std::span<const std::byte>) { return std::size_t{0}; }));
}

/// Finds out what there is to know of the superblock of one of the caller's open files.
ExaminedObject examine_object(const Peer& caller, const watchq_watch& asked,
                              const std::shared_ptr<SuperblockExaminer>& examiner) {
  const UniqueFd object = caller.open_object(asked.object);
  ExaminedObject examined(examiner);
  const bool all = (asked.flags & WATCHQ_ALL) != 0;
  examined.object = all ? describe_directory(object.get()) : describe_file(object.get());
  if (all) return examined;
  const auto mount = caller.mount(examined.object.mount_id);
  if (asked.tag < 0 || !mount) return examined;
  // The root of the mount, where it can be reached in memory: it is not deleted as easily.
  const std::string above = caller.root() == "/" ? "" : caller.root();
  const UniqueFd root =
      open_mount_root(caller.mount_namespace().get(), *mount, above + mount->mount_point);
  examined.found = examiner->examine(root.valid() ? root.get() : object.get(), *mount);
  return examined;
}

template <typename Value>
std::vector<Value> read_array(const Peer& caller, std::uint64_t address, std::size_t count) {
  std::vector<Value> values(count);
  if (count != 0) caller.read_memory(address, std::as_writable_bytes(std::span(values)));
  return values;
}

/// What the caller says is linked in the keyrings that it could read. Patient work.
std::map<KeySerial, std::set<KeySerial>> read_links(const Peer& caller,
                                                    const watchq_keyring_watch& asked) {
  std::map<KeySerial, std::set<KeySerial>> links;
  for (const auto keyring : read_array<std::int32_t>(caller, asked.keyrings, asked.nr_keyrings)) {
    links[keyring];
  }
  for (const auto& link : read_array<watchq_key_link>(caller, asked.links, asked.nr_links)) {
    const auto of = links.find(link.keyring);
    if (of != links.end() && link.key > 0) of->second.insert(link.key);
  }
  return links;
}

}  // namespace

void Filesystem::ioctl(fuse_req_t request, fuse_ino_t node, unsigned int command,
                       std::uint64_t argument, std::span<const std::byte> input) {
  QueueFile& file = queue_at(node, ENOTTY);
  if (command == IOC_WATCH_QUEUE_SET_SIZE) {
    answer_when_done(request, [&](const QueueFile::Done& done) { file.set_size(argument, done); });
    return;
  }
  if (command == IOC_WATCH_QUEUE_SET_FILTER) {
    set_filter(request, file, argument);
    return;
  }
  if (is_call(command, WATCHQ_IOC_MOUNT_NOTIFY)) {
    watch(request, file, argument, input);
  } else if (is_call(command, WATCHQ_IOC_SB_NOTIFY)) {
    watch_superblock(request, file, argument, input);
  } else if (command == WATCHQ_IOC_INJECT) {
    const auto record = decode_injection(input);
    answer_when_done(request, [&](const QueueFile::Done& done) { file.inject(record, done); });
  } else if (command == WATCHQ_IOC_SET_FILTER) {
    file.queue().set_filter(decode_whole_filter(input));
    fuse_reply_ioctl(request, 0, nullptr, 0);
  } else if (command == WATCHQ_IOC_WAKE_HEAD) {
    file.wake_head();
    fuse_reply_ioctl(request, 0, nullptr, 0);
  } else if (is_call(command, WATCHQ_IOC_KEY_NOTIFY)) {
    watch_key(request, file, argument, input);
  } else {
    throw RequestError(ENOTTY, "no such call on a queue");
  }
}

template <typename Work, typename Use>
void Filesystem::answer_call(fuse_req_t request, Work work, Use use) {
  answer_patiently(pending_calls_, patient_calls_, request, std::move(work),
                   [use = std::move(use)](fuse_req_t waiting, const auto& result) {
                     use(result);
                     fuse_reply_ioctl(waiting, 0, nullptr, 0);
                   });
}

template <typename Act>
void Filesystem::answer_when_done(fuse_req_t request, Act act) {
  const PendingCalls::Id id = pending_calls_.add(request);
  try {
    act([this, id] {
      if (auto* const waiting = pending_calls_.take(id)) fuse_reply_ioctl(waiting, 0, nullptr, 0);
    });
  } catch (...) {
    pending_calls_.take(id);
    throw;
  }
}

void Filesystem::set_filter(fuse_req_t request, QueueFile& file, std::uint64_t argument) {
  if (argument == 0) {
    file.queue().set_filter(Filter());
    fuse_reply_ioctl(request, 0, nullptr, 0);
    return;
  }
  // The file stays open while the call waits.
  answer_call(
      request,
      [caller = caller_of(request), argument] {
        return decode_filter(
            read_memory(caller, argument, sizeof(watch_notification_filter), filter_entries_bytes));
      },
      [&file](const Filter& filter) { file.queue().set_filter(filter); });
}

void Filesystem::watch(fuse_req_t request, QueueFile& file, std::uint64_t argument,
                       std::span<const std::byte> input) {
  const auto [asked, unseen] = decode_mount_watch(input);
  check_mount_watch(asked);
  const Peer caller = caller_of(request);
  answer_call(
      request,
      [caller, asked = asked, unseen = unseen, address = argument + input.size(),
       follower = dispatcher_.follower()] {
        require_zero_memory(caller, address, unseen);
        // Closed again at once: it no longer holds its mount when the caller goes on.
        const UniqueFd object = caller.open_object(asked.object);
        Watched watched{describe_directory(object.get()), nullptr};
        if (asked.tag >= 0 && caller.is_on_local_filesystem(watched.directory)) {
          watched.followed = follower->follow(object.get());
        }
        return watched;
      },
      [this, &file, caller, asked = asked](const Watched& watched) {
        file.ensure_readable();
        dispatcher_.watch_mount(file.queue(), caller, asked, watched.directory, watched.followed);
      });
}

void Filesystem::watch_superblock(fuse_req_t request, QueueFile& file, std::uint64_t argument,
                                  std::span<const std::byte> input) {
  const auto [asked, unseen] = decode_sb_watch(input);
  check_superblock_watch(asked);
  const Peer caller = caller_of(request);
  answer_call(
      request,
      [caller, asked = asked, unseen = unseen, address = argument + input.size(),
       examiner = dispatcher_.superblocks().examiner()] {
        require_zero_memory(caller, address, unseen);
        return std::make_shared<const ExaminedObject>(
            examine_object(caller, asked.watch, examiner));
      },
      [this, &file, caller, asked = asked](const std::shared_ptr<const ExaminedObject>& examined) {
        file.ensure_readable();
        dispatcher_.superblocks().watch(file.queue(), caller, asked, examined->object,
                                        examined->found);
      });
}

void Filesystem::watch_key(fuse_req_t request, QueueFile& file, std::uint64_t argument,
                           std::span<const std::byte> input) {
  const auto [asked, unseen] = decode_key_watch(input);
  check_key_watch(asked);
  if (asked.watch.tag < 0 && dispatcher_.keys().watches(file.queue(), asked.watch.key)) {
    dispatcher_.keys().unwatch(file.queue(), asked.watch.key);
    fuse_reply_ioctl(request, 0, nullptr, 0);
    return;
  }
  const Peer caller = caller_of(request);
  const KeyRights rights{fuse_req_ctx(request)->uid, fuse_req_ctx(request)->gid, {}};
  answer_call(
      request,
      [caller, rights, asked = asked, unseen = unseen, address = argument + input.size()] {
        require_zero_memory(caller, address, unseen);
        return examine_key(caller, rights, asked.watch, read_links(caller, asked));
      },
      [this, &file, asked = asked](const ExaminedKey& examined) {
        file.ensure_readable();
        dispatcher_.keys().watch(file.queue(), asked.watch, examined);
      });
}

}  // namespace watchq
