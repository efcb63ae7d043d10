// SPDX-License-Identifier: MIT
#include "source/error_merger.h"

#include <algorithm>
#include <limits>

namespace watchq {
namespace {

std::uint32_t add_up(std::uint32_t one, std::uint32_t other) {
  const std::uint64_t sum = std::uint64_t{one} + other;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(sum, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

void ErrorMerger::add(std::uint64_t superblock, std::uint32_t error, std::uint32_t count) {
  const Key key{superblock, error};
  const auto [entry, first] = pending_.try_emplace(key);
  if (!first) {
    entry->second.count = add_up(entry->second.count, count);
    return;
  }
  entry->second.due = Clock::now() + kSpan;
  tell(key, count);
  schedule();
}

void ErrorMerger::flush(std::uint64_t superblock) {
  for (auto entry = pending_.lower_bound({superblock, 0});
       entry != pending_.end() && entry->first.first == superblock; ++entry) {
    const auto count = std::exchange(entry->second.count, 0);
    if (count != 0) tell(entry->first, count);
  }
}

void ErrorMerger::drop(std::uint64_t superblock) {
  std::erase_if(pending_, [&](const auto& entry) { return entry.first.first == superblock; });
}

void ErrorMerger::tell(const Key& key, std::uint32_t count) {
  SuperblockEvent event;
  event.kind = SuperblockEventKind::error;
  event.superblock = key.first;
  event.error_number = key.second;
  event.error_cookie = count;
  sink_.on_superblock_event(event);
}

void ErrorMerger::schedule() {
  if (scheduled_ || pending_.empty()) return;
  scheduled_ = true;
  const auto next = std::min_element(
      pending_.begin(), pending_.end(),
      [](const auto& one, const auto& other) { return one.second.due < other.second.due; });
  timer_.expires_at(next->second.due);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    scheduled_ = false;
    tell_due();
    schedule();
  });
}

void ErrorMerger::tell_due() {
  const auto now = Clock::now();
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    Pending& pending = entry->second;
    if (pending.due > now) {
      ++entry;
    } else if (pending.count == 0) {
      entry = pending_.erase(entry);
    } else {
      pending.due = now + kSpan;
      tell(entry->first, std::exchange(pending.count, 0));
      ++entry;
    }
  }
}

}  // namespace watchq
