// SPDX-License-Identifier: MIT
#include "source/error_groups.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace watchq {

ErrorGroups::Mark ErrorGroups::mark(int fd, const std::string& device, FilesystemId filesystem) {
  Mark mark;
  int group_fd = -1;
  {
    const std::lock_guard lock(mutex_);
    try {
      Group& group = group_for(device, filesystem);
      Marked& marked = group.marked[filesystem];
      marked.device = device;
      mark.id = ++last_mark_;
      marked.names.emplace(mark.id, false);
      group_fd = group.fanotify.get();
    } catch (const std::system_error& error) {
      mark.missing = error.what();
      return mark;
    }
  }
  // Nobody else waits while the kernel asks the filesystem.
  if (const int error = mark_errors(group_fd, fd)) {
    mark.missing = "fanotify_mark: " + std::system_category().message(error);
    release(std::exchange(mark.id, 0));
  }
  return mark;
}

ErrorGroups::Group& ErrorGroups::group_for(const std::string& device, FilesystemId filesystem) {
  const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& candidate) {
    const auto other = candidate.marked.find(filesystem);
    return other == candidate.marked.end() || other->second.device == device;
  });
  if (group != groups_.end()) return *group;
  groups_.push_back({open_error_fanotify(), {}});
  return groups_.back();
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
