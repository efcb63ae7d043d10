// SPDX-License-Identifier: MIT
// ErrorGroups: fanotify's marks on superblocks, and whose an error is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kernel/error_fanotify.h"

namespace watchq {

/// Errors name their filesystem by an ID that copies of it share. One group marks all superblocks,
/// but for those with an ID that it has already: these are in further groups, so that each error
/// has one superblock. Any thread.
class ErrorGroups {
 public:
  struct Mark {
    std::uint64_t id = 0;  ///< names the mark; 0: there is none
    std::string missing;   ///< why there is none
  };

  /// Marks the superblock of an open file; `device` is as in mountinfo. A superblock that is marked
  /// already gets another name for its mark, beside those it has. May ask its filesystem.
  Mark mark(int fd, const std::string& device, FilesystemId filesystem);

  /// A name that stays until forget(), though release() is called.
  void keep(std::uint64_t mark);
  void release(std::uint64_t mark);
  void forget(std::uint64_t mark);
  /// The superblock of this device is gone, and its marks with it.
  void gone(const std::string& device);

  [[nodiscard]] std::size_t size() const;
  /// The group's descriptor, to be waited for; as long as this lives.
  [[nodiscard]] int fd(std::size_t group) const;

  struct Error {
    std::vector<std::uint64_t> marks;  ///< whose, by all names; none for an overflow
    FilesystemError what;
  };
  /// Takes the errors that wait in a group. Throws std::system_error.
  std::vector<Error> take(std::size_t group);

 private:
  struct Marked {
    std::string device;
    std::map<std::uint64_t, bool> names;  // to whether it is kept
  };
  struct Group {
    UniqueFd fanotify;
    std::map<FilesystemId, Marked> marked;
  };

  /// A group without another superblock of this ID. Throws std::system_error.
  Group& group_for(const std::string& device, FilesystemId filesystem);
  void for_each_marked(const std::function<void(Marked&)>& visit);

  mutable std::mutex mutex_;
  std::vector<Group> groups_;
  std::uint64_t last_mark_ = 0;
};

}  // namespace watchq
