// SPDX-License-Identifier: MIT
#include "source/superblock_readonly.h"

#include <algorithm>
#include <system_error>

namespace watchq {
namespace {

/// Whether writing is refused. ext4's emergency_ro stands for a flag that it no longer sets since
/// Linux 6.15, errors=remount-ro being what sets it.
bool is_read_only(const SuperblockState& state) {
  return state.read_only || state.has("emergency_ro");
}

/// Whether it has been mounted so that any error makes it refuse to write. Where the kernel does
/// not show that it does (Linux 6.12 to 6.14), this and an error are all there is to know it by.
bool refuses_after_error(const SuperblockState& state) { return state.has("errors=remount-ro"); }

}  // namespace

void SuperblockReadonly::watched(const WatchedSuperblock& superblock) {
  State& state = states_[superblock.superblock.id];
  state.watched = &superblock;
  for (const auto& mounts : superblock.namespaces) {
    if (!state.read_only) look(state, *mounts);
  }
}

void SuperblockReadonly::after_error(std::uint64_t superblock) {
  const auto found = states_.find(superblock);
  if (found == states_.end()) return;
  found->second.had_error = true;
  for (const auto& mounts : found->second.watched->namespaces) look(found->second, *mounts);
}

void SuperblockReadonly::after_look(const MountNamespace& mounts) {
  for (auto& [id, state] : states_) {
    const auto& namespaces = state.watched->namespaces;
    if (std::any_of(namespaces.begin(), namespaces.end(),
                    [&](const auto& followed) { return followed.get() == &mounts; })) {
      look(state, mounts);
    }
  }
}

void SuperblockReadonly::look(State& state, const MountNamespace& mounts) {
  try {
    const auto mount = state.watched->mount_in(mounts);
    const auto now = mount ? mounts.superblock_state(*mount) : std::nullopt;
    if (!now) return;
    const bool shown = is_read_only(*now);
    if (shown) state.had_error = false;  // this kernel shows it, and will show when it is over
    const bool read_only = shown || (state.had_error && refuses_after_error(*now));
    const bool changed = state.read_only && *state.read_only != read_only;
    state.read_only = read_only;
    if (changed) {
      sink_.on_superblock_event(
          {SuperblockEventKind::readonly, state.watched->superblock.id, read_only, 0, 0});
    }
  } catch (const std::system_error&) {
    // The kernel did not say: it is asked again with the next look.
  }
}

std::vector<SuperblockEvent> SuperblockReadonly::present(std::uint64_t superblock) const {
  const auto state = states_.find(superblock);
  if (state == states_.end() || !state->second.read_only.value_or(false)) return {};
  return {{SuperblockEventKind::readonly, superblock, true, 0, 0}};
}

std::vector<SuperblockSight> SuperblockReadonly::sights(std::uint64_t superblock) const {
  const auto state = states_.find(superblock);
  if (state == states_.end()) return {};
  return {{"readonly", "look", state->second.read_only ? "" : "no mount of it can be seen"}};
}

}  // namespace watchq
