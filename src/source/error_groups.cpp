// SPDX-License-Identifier: MIT
#include "source/error_groups.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace watchq {

ErrorGroups::Mark ErrorGroups::mark(int fd, const std::string& device, FilesystemId filesystem) {
  // Held while the kernel marks: what can wait for a server is not marked at all.
  const std::lock_guard lock(mutex_);
  auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& candidate) {
    const auto other = candidate.marked.find(filesystem);
    return other == candidate.marked.end() || other->second.device == device;
  });
  Mark mark;
  if (group == groups_.end()) {
    try {
      groups_.push_back({open_error_fanotify(), {}});
    } catch (const std::system_error& error) {
      mark.missing = error.what();
      return mark;
    }
    group = groups_.end() - 1;
    mark.opened = true;
  }
  if (const int error = mark_errors(group->fanotify.get(), fd)) {
    mark.missing = "fanotify_mark: " + std::system_category().message(error);
    return mark;
  }
  mark.id = ++last_mark_;
  Marked& marked = group->marked[filesystem];
  marked.device = device;
  marked.names.emplace(mark.id, false);
  return mark;
}

void ErrorGroups::keep(std::uint64_t mark) {
  const std::lock_guard lock(mutex_);
  for_each_marked([&](Marked& marked) {
    const auto name = marked.names.find(mark);
    if (name != marked.names.end()) name->second = true;
  });
}

void ErrorGroups::release(std::uint64_t mark) {
  const std::lock_guard lock(mutex_);
  for_each_marked([&](Marked& marked) {
    const auto name = marked.names.find(mark);
    if (name != marked.names.end() && !name->second) marked.names.erase(name);
  });
}

void ErrorGroups::forget(std::uint64_t mark) {
  const std::lock_guard lock(mutex_);
  // The kernel's mark stays, and so does what keeps others with this ID out of its group.
  for_each_marked([&](Marked& marked) { marked.names.erase(mark); });
}

void ErrorGroups::gone(const std::string& device) {
  const std::lock_guard lock(mutex_);
  for (Group& group : groups_) {
    std::erase_if(group.marked, [&](const auto& entry) {
      return entry.second.device == device && entry.second.names.empty();
    });
  }
}

void ErrorGroups::for_each_marked(const std::function<void(Marked&)>& visit) {
  for (Group& group : groups_) {
    for (auto& [filesystem, marked] : group.marked) visit(marked);
  }
}

std::size_t ErrorGroups::size() const {
  const std::lock_guard lock(mutex_);
  return groups_.size();
}

int ErrorGroups::fd(std::size_t group) const {
  const std::lock_guard lock(mutex_);
  return groups_.at(group).fanotify.get();
}

std::vector<ErrorGroups::Error> ErrorGroups::take(std::size_t group) {
  const int group_fd = fd(group);
  std::vector<Error> errors;
  for (;;) {
    const auto read = read_filesystem_errors(group_fd);
    if (read.empty()) return errors;
    const std::lock_guard lock(mutex_);
    for (const FilesystemError& error : read) {
      const auto& marked = groups_[group].marked;
      const auto of = marked.find(error.filesystem);
      Error told{{}, error};
      if (of != marked.end()) {
        for (const auto& [name, kept] : of->second.names) told.marks.push_back(name);
      }
      errors.push_back(std::move(told));
    }
  }
}

}  // namespace watchq
