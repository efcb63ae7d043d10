// SPDX-License-Identifier: MIT
#include "source/superblock_registry.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "kernel/mount_query.h"

namespace watchq {
namespace {

/// How many mounts of a superblock without a trace are remembered.
constexpr std::size_t kSightings = 8;

}  // namespace

const Superblock& SuperblockRegistry::identify(const MountNamespace& mounts, const Mount& mount) {
  const std::string& device = mount.info.device;
  auto known = by_device_.find(device);
  if (known != by_device_.end()) {
    Entry& entry = known->second;
    const bool same_kind = entry.superblock.fs_type == mount.info.fs_type;
    const bool lives = entry.trace || std::any_of(entry.sightings.begin(), entry.sightings.end(),
                                                  [&](const Sighting& sighting) {
                                                    return is_there(sighting, mounts, device);
                                                  });
    if (same_kind && lives) {
      note(entry, mounts, mount);
      return entry.superblock;
    }
    const std::uint64_t gone = entry.superblock.id;
    remove(gone);
    if (replaced_) replaced_(gone);
  }
  Entry entry;
  entry.superblock = {next_id(), device, mount.info.fs_type, mount.info.source};
  note(entry, mounts, mount);
  devices_[entry.superblock.id] = device;
  return by_device_.insert_or_assign(device, std::move(entry)).first->second.superblock;
}

bool SuperblockRegistry::is_there(const Sighting& sighting, const MountNamespace& mounts,
                                  const std::string& device) {
  if (sighting.mount_namespace == mounts.id()) {
    const Mount* mount = mounts.table().find(sighting.mount);
    return mount != nullptr && mount->info.device == device;
  }
  if (sighting.kernel_id == 0) return true;  // nobody can tell: it most likely is
  try {
    return query_mount(sighting.mount, sighting.kernel_id, MountDetail::numbers).has_value();
  } catch (const std::system_error&) {
    return false;  // the namespace is gone
  }
}

void SuperblockRegistry::note(Entry& entry, const MountNamespace& mounts, const Mount& mount) {
  auto& sightings = entry.sightings;
  std::erase_if(sightings, [&](const Sighting& sighting) {
    return sighting.mount_namespace == mounts.id() && sighting.mount == mount.info.mount;
  });
  if (sightings.size() == kSightings) sightings.erase(sightings.begin());
  sightings.push_back({mounts.id(), mounts.kernel_id(), mount.info.mount});
}

void SuperblockRegistry::unmounted(const MountInfo& mount) {
  const auto known = by_device_.find(mount.device);
  if (known == by_device_.end()) return;
  std::erase_if(known->second.sightings,
                [&](const Sighting& sighting) { return sighting.mount == mount.mount; });
}

const Superblock* SuperblockRegistry::find(std::uint64_t id) const {
  const auto device = devices_.find(id);
  return device == devices_.end() ? nullptr : &by_device_.at(device->second).superblock;
}

bool SuperblockRegistry::set_trace(std::uint64_t id, int trace) {
  Entry& entry = by_device_.at(devices_.at(id));
  if (entry.trace) return false;
  entry.trace = trace;
  by_trace_[trace] = id;
  return true;
}

std::uint64_t SuperblockRegistry::traced(int trace) const {
  const auto found = by_trace_.find(trace);
  return found == by_trace_.end() ? 0 : found->second;
}

bool SuperblockRegistry::has_trace(std::uint64_t id) const {
  const auto device = devices_.find(id);
  return device != devices_.end() && by_device_.at(device->second).trace.has_value();
}

void SuperblockRegistry::drop_trace(int trace) {
  const std::uint64_t id = traced(trace);
  if (id == 0) return;
  by_trace_.erase(trace);
  by_device_.at(devices_.at(id)).trace.reset();
}

std::vector<int> SuperblockRegistry::traces() const {
  std::vector<int> traces;
  for (const auto& [trace, id] : by_trace_) traces.push_back(trace);
  return traces;
}

void SuperblockRegistry::remove(std::uint64_t id) {
  const auto device = devices_.find(id);
  if (device == devices_.end()) return;
  const auto entry = by_device_.find(device->second);
  if (entry->second.trace) by_trace_.erase(*entry->second.trace);
  by_device_.erase(entry);
  devices_.erase(device);
}

std::uint64_t SuperblockRegistry::next_id() {
  // The time since the machine started, in nanoseconds, is over what any daemon gave before, this
  // one or another.
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto time = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
                    static_cast<std::uint64_t>(now.tv_nsec);
  last_id_ = std::max(last_id_ + 1, time);
  return last_id_;
}

}  // namespace watchq
