// SPDX-License-Identifier: MIT
#include "source/network_detector.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "kernel/mountinfo.h"

namespace watchq {
namespace {

/// What watchqd's own mounts are called.
constexpr std::string_view kOwnType = "fuse.watchq";

/// How long a process that asks may take to get to its mount: on a machine with much to do that is
/// no silence of the server.
constexpr std::chrono::seconds kStart{5};

SuperblockEvent network_event(std::uint64_t superblock, bool lost) {
  SuperblockEvent event;
  event.kind = SuperblockEventKind::network;
  event.superblock = superblock;
  event.on = lost;
  return event;
}

}  // namespace

bool has_server(const std::string& fs_type) {
  static constexpr std::array<std::string_view, 9> kTypes = {
      "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs", "fuse", "virtiofs"};
  if (fs_type == kOwnType) return false;
  return fs_type.starts_with("fuse.") ||
         std::find(kTypes.begin(), kTypes.end(), fs_type) != kTypes.end();
}

bool means_no_server(int error) {
  static constexpr std::array kErrors = {ENOTCONN,  ECONNABORTED, ECONNREFUSED, ECONNRESET,
                                         EHOSTDOWN, EHOSTUNREACH, EIO,          ENETDOWN,
                                         ENETRESET, ENETUNREACH,  ENODEV,       ENONET,
                                         EPIPE,     ESHUTDOWN,    ETIMEDOUT};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

void NetworkDetector::watched(const WatchedSuperblock& superblock) {
  if (!has_server(superblock.superblock.fs_type)) return;
  Entry& entry = entries_.try_emplace(superblock.superblock.id, superblock, io_).first->second;
  if (!entry.probe) start(superblock.superblock.id, entry);
}

void NetworkDetector::unwatched(std::uint64_t superblock) {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return;
  entries_.erase(found);
  std::erase_if(lives_, [](const auto& life) { return life.second.expired(); });
}

std::vector<SuperblockEvent> NetworkDetector::present(std::uint64_t superblock) const {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return {};
  std::vector<SuperblockEvent> events;
  if (found->second.lost) events.push_back(network_event(superblock, true));
  for (const FullOf of : found->second.fullness.now()) {
    events.push_back(full_event(superblock, of));
  }
  return events;
}

std::optional<SpaceFigures> NetworkDetector::space(std::uint64_t superblock) const {
  const auto found = entries_.find(superblock);
  if (found == entries_.end() || !found->second.answered) return std::nullopt;
  return found->second.figures;
}

std::vector<SuperblockSight> NetworkDetector::sights(std::uint64_t superblock) const {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return {};
  const Entry& entry = found->second;
  if (!entry.probe || !entry.missing.empty()) {
    return {{"network", {}, entry.missing}, {"space", {}, entry.missing}};
  }
  // A FUSE filesystem does not ask its server for those who may not use the mount.
  const bool counts = entry.figures.blocks != 0 || entry.figures.inodes != 0;
  const bool silent = entry.answered && !counts;
  return {{"network", "probe", {}},
          {"space", silent ? "" : "probe", silent ? "the server does not count its room" : ""}};
}

void NetworkDetector::start(std::uint64_t superblock, Entry& entry) {
  if (entry.watched.probers == 0) {
    entry.missing = "its watchers have as many servers asked as they may (max_probes_per_user)";
    return pause(superblock, entry);
  }
  // Never two processes for one superblock: the one before may still be kept waiting.
  if (!lives_[superblock].expired()) {
    entry.missing = "an earlier probe still waits for the server";
    return pause(superblock, entry);
  }
  try {
    ProbeSetup setup;
    setup.how = ProbeSetup::How::by_mount;
    setup.device = device_number(entry.watched.superblock.device);
    const int space = entry.watched.namespaces.back()->namespace_fd();
    entry.probe = std::make_unique<ProbeProcess>(io_, spawn_probe(setup, space), false);
    lives_[superblock] = entry.probe->life();
    entry.missing.clear();
    ask(superblock, entry);
  } catch (const std::system_error& error) {
    entry.missing = error.what();
    pause(superblock, entry);
  }
}

void NetworkDetector::pause(std::uint64_t superblock, Entry& entry) {
  entry.waiting = false;
  entry.timer.expires_after(options_.interval);
  entry.timer.async_wait([this, superblock](const boost::system::error_code& error) {
    const auto found = entries_.find(superblock);
    if (error || found == entries_.end() || found->second.waiting) return;
    Entry& again = found->second;
    if (again.watched.probers == 0) again.probe.reset();
    if (again.probe) {
      ask(superblock, again);
    } else {
      start(superblock, again);
    }
  });
}

void NetworkDetector::ask(std::uint64_t superblock, Entry& entry) {
  entry.waiting = true;
  expect_answer(superblock, kStart + options_.limit);
  entry.probe->ask(
      device_number(entry.watched.superblock.device),
      [this, superblock](const std::optional<ProbeAnswer>& answer) { take(superblock, answer); },
      [this, superblock] { expect_answer(superblock, options_.limit); });
}

void NetworkDetector::expect_answer(std::uint64_t superblock, std::chrono::milliseconds limit) {
  Entry& entry = entries_.at(superblock);
  entry.timer.expires_after(limit);
  // Its only process goes on waiting for the answer.
  entry.timer.async_wait([this, superblock](const boost::system::error_code& error) {
    const auto found = entries_.find(superblock);
    if (error || found == entries_.end() || !found->second.waiting) return;
    ++counters_.silences;
    set_lost(superblock, true);
  });
}

void NetworkDetector::take(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer) {
  Entry& entry = entries_.at(superblock);
  // An answer names what was asked for; what the probe says of its own beginning does not.
  if (!answer || answer->device == 0) {
    entry.missing = !answer
                        ? "the process that asked has ended"
                        : "reaching the mount: " + std::system_category().message(answer->error);
    entry.probe.reset();
    return pause(superblock, entry);
  }
  ++counters_.answers;
  pause(superblock, entry);
  const bool lost = means_no_server(answer->error);
  set_lost(superblock, lost);
  if (answer->error == 0 && entries_.contains(superblock)) {
    take_figures(superblock, answer->figures);
  }
}

void NetworkDetector::take_figures(std::uint64_t superblock, const SpaceFigures& figures) {
  Entry& entry = entries_.at(superblock);
  const bool is_first = !std::exchange(entry.answered, true);
  const bool has_changed = std::exchange(entry.figures, figures) != figures;
  const std::vector<FullOf> full = entry.fullness.update(figures);
  if (has_changed) sink_.on_superblock_space(superblock, figures);
  if (is_first) return;  // what it was like at the beginning
  for (const FullOf of : full) sink_.on_superblock_event(full_event(superblock, of));
}

void NetworkDetector::set_lost(std::uint64_t superblock, bool lost) {
  if (std::exchange(entries_.at(superblock).lost, lost) == lost) return;
  sink_.on_superblock_event(network_event(superblock, lost));
}

}  // namespace watchq
