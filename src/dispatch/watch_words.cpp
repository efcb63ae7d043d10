// SPDX-License-Identifier: MIT
#include "dispatch/watch_words.h"

#include "dispatch/record.h"

namespace watchq {
namespace {

std::string below(const MountNamespace& mounts, std::uint64_t mount, const std::string& directory,
                  const std::string& root) {
  const Mount* known = mounts.table().find(mount);
  if (known == nullptr) return "a mount that is gone";
  std::string path = known->info.mount_point;
  if (path == "/") path.clear();
  if (directory != "/") path += directory;
  path = path_from(root, path.empty() ? "/" : path);
  return (path.empty() ? "?" : path) + ", mount " + std::to_string(known->info.id);
}

std::string and_tag(std::uint8_t tag, bool detail) {
  return ", tag " + std::to_string(tag) + (detail ? ", with details" : "");
}

}  // namespace

std::string words_of(const MountWatch& watch) {
  return "mounts at and below " + below(*watch.mounts, watch.mount, watch.directory, watch.root) +
         and_tag(watch.tag, watch.detail);
}

std::string words_of(const SuperblockWatch& watch) {
  return "superblock " + std::to_string(watch.superblock) + and_tag(watch.tag, watch.detail) +
         (watch.space ? ", with a threshold" : "");
}

std::string words_of(const ReachWatch& watch) {
  return std::to_string(watch.superblocks.size()) + " superblocks at and below " +
         below(*watch.as.mounts, watch.mount, watch.directory, watch.as.root) +
         and_tag(watch.as.tag, watch.as.detail) + (watch.as.space ? ", with a threshold" : "");
}

std::string words_of(const KeyWatch& watch) {
  return "key " + std::to_string(watch.key) +
         (watch.children ? " and " + std::to_string(watch.members.size() - 1) + " linked below it"
                         : "") +
         and_tag(watch.tag, watch.detail);
}

}  // namespace watchq
