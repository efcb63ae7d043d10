// SPDX-License-Identifier: MIT
#include "fuse/event_files.h"

#include <utility>

#include "base/error.h"
#include "fuse/answer_patiently.h"
#include "kernel/open_object.h"
#include "kernel/peer.h"

namespace watchq {
namespace {

/// What the caller may see. Patient work; nothing of it stays open.
Sight look_around(const Peer& caller, const KeyRights& rights, DirectoryFollower& follower) {
  const UniqueFd fd = caller.open_root();
  Sight sight{describe_directory(fd.get()), nullptr, examine_visible_keys(caller, rights)};
  if (caller.is_on_local_filesystem(sight.root)) sight.followed = follower.follow(fd.get());
  return sight;
}

}  // namespace

void EventFiles::open(fuse_req_t request, EventFormat format) {
  const fuse_ctx* context = fuse_req_ctx(request);
  const Peer caller(context->pid);
  const KeyRights rights{context->uid, context->gid, {}};
  answer_patiently(
      pending_, patient_, request,
      [caller, rights, follower = dispatcher_.follower()] {
        return look_around(caller, rights, *follower);
      },
      [this, caller, format, owner = context->uid](fuse_req_t waiting, const Sight& sight) {
        auto file = std::make_unique<EventFile>(wakes_, limits_, owner, format);
        try {
          dispatcher_.watch_everything(file->stream(), caller, sight);
        } catch (...) {
          dispatcher_.drop(file->stream());
          throw;
        }
        add(waiting, std::move(file));
      });
}

void EventFiles::add(fuse_req_t request, std::unique_ptr<EventFile> file) {
  const std::uint64_t handle = next_++;
  files_.emplace(handle, std::move(file));
  fuse_file_info info{};
  info.fh = handle;
  info.direct_io = 1;
  if (fuse_reply_open(request, &info) == 0) return;
  // Its opener has gone: there will be no RELEASE.
  release(info);
}

EventFile& EventFiles::at(const fuse_file_info& info) const {
  const auto file = files_.find(info.fh);
  if (file == files_.end()) throw RequestError(EBADF, "no open stream of events");
  return *file->second;
}

void EventFiles::release(const fuse_file_info& info) {
  const auto file = files_.find(info.fh);
  if (file == files_.end()) return;
  close(*file->second);
  files_.erase(file);
}

void EventFiles::clear() {
  for (const auto& [handle, file] : files_) close(*file);
  files_.clear();
}

void EventFiles::close(EventFile& file) {
  closed_.told += file.stream().told();
  closed_.lost += file.stream().lost();
  dispatcher_.drop(file.stream());
}

EventFiles::Totals EventFiles::totals() const {
  Totals totals = closed_;
  for (const auto& [handle, file] : files_) {
    totals.told += file->stream().told();
    totals.lost += file->stream().lost();
  }
  return totals;
}

}  // namespace watchq
