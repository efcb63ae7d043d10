// SPDX-License-Identifier: MIT
#include "kernel/key_pipe.h"

#include <linux/watch_queue.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

constexpr int kWatchKey = 32;      // KEYCTL_WATCH_KEY of Linux 5.8
constexpr int kMostRecords = 512;  // what the kernel keeps for one pipe at most
constexpr int kTag = 0;            // records name their key, which is enough

void decode_meta(const watch_notification& watch, std::span<const std::byte> record,
                 KeyPipeTaken& taken) {
  if (watch.subtype == WATCH_META_LOSS_NOTIFICATION) taken.lost = true;
  watch_notification_removal removal{};
  if (watch.subtype != WATCH_META_REMOVAL_NOTIFICATION || record.size() < sizeof removal) return;
  std::memcpy(&removal, record.data(), sizeof removal);
  KeyDeed deed;
  deed.kind = KeyDeedKind::freed;
  deed.key = static_cast<std::int32_t>(removal.id);
  taken.deeds.push_back(deed);
}

void decode_key(const watch_notification& watch, std::span<const std::byte> record,
                KeyPipeTaken& taken) {
  key_notification key{};
  if (record.size() < sizeof key || watch.subtype > NOTIFY_KEY_SETATTR) return;
  std::memcpy(&key, record.data(), sizeof key);
  KeyDeed deed;
  deed.kind = static_cast<KeyDeedKind>(watch.subtype);
  deed.key = static_cast<std::int32_t>(key.key_id);
  deed.aux = static_cast<std::int32_t>(key.aux);
  // The kernel gives its errors as it has them: down to -MAX_ERRNO of its <linux/err.h>.
  const bool is_error = deed.aux < 0 && deed.aux >= -4095;
  if (deed.kind == KeyDeedKind::instantiated && is_error) deed.aux = -deed.aux;
  taken.deeds.push_back(deed);
}

}  // namespace

static_assert(static_cast<int>(KeyDeedKind::instantiated) == NOTIFY_KEY_INSTANTIATED);
static_assert(static_cast<int>(KeyDeedKind::setattr) == NOTIFY_KEY_SETATTR);

void decode_key_pipe(std::span<const std::byte> records, KeyPipeTaken& taken) {
  watch_notification watch{};
  while (records.size() >= sizeof watch) {
    std::memcpy(&watch, records.data(), sizeof watch);
    const std::size_t size = watch.info & WATCH_INFO_LENGTH;
    if (size < sizeof watch || size > records.size()) return;
    const auto record = records.first(size);
    records = records.subspan(size);
    if (watch.type == WATCH_TYPE_META) decode_meta(watch, record, taken);
    if (watch.type == WATCH_TYPE_KEY_NOTIFY) decode_key(watch, record, taken);
  }
}

KeyPipe::KeyPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NOTIFICATION_PIPE | O_CLOEXEC | O_NONBLOCK) != 0) {
    throw_errno("the kernel's watch queue (CONFIG_WATCH_QUEUE)");
  }
  pipe_ = UniqueFd(ends[0]);
  other_ = UniqueFd(ends[1]);
  if (::ioctl(pipe_.get(), IOC_WATCH_QUEUE_SET_SIZE, kMostRecords) != 0) {
    throw_errno("the size of the kernel's watch queue");
  }
}

void KeyPipe::probe() {
  // A tag that there is not: refused with EINVAL by those who know the call.
  constexpr int kNoTag = 256;
  if (::syscall(SYS_keyctl, kWatchKey, 0, pipe_.get(), kNoTag) != 0 && errno != EINVAL) {
    throw_errno("the kernel's watch on keys (CONFIG_KEY_NOTIFICATIONS)");
  }
}

void KeyPipe::watch(std::int32_t key) {
  if (::syscall(SYS_keyctl, kWatchKey, key, pipe_.get(), kTag) != 0) {
    throw_errno("the kernel's watch on key " + std::to_string(key));
  }
}

void KeyPipe::unwatch(std::int32_t key) { ::syscall(SYS_keyctl, kWatchKey, key, pipe_.get(), -1); }

KeyPipeTaken KeyPipe::take() {
  KeyPipeTaken taken;
  std::array<std::byte, 8192> buffer;
  ssize_t got = 0;
  while ((got = ::read(pipe_.get(), buffer.data(), buffer.size())) > 0) {
    decode_key_pipe(std::span(buffer).first(static_cast<std::size_t>(got)), taken);
  }
  if (got < 0 && errno != EAGAIN && errno != EINTR) throw_errno("reading the kernel's watch queue");
  return taken;
}

}  // namespace watchq
