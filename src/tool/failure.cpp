// SPDX-License-Identifier: MIT
#include "tool/failure.h"

#include <cerrno>
#include <system_error>

namespace watchq {
namespace {

std::string how_to_start(const std::string& directory) {
  return "; start it with: watchqd " + directory;
}

}  // namespace

Failure cannot_open(const std::string& directory, const std::string& file, int error) {
  const std::string path = directory + "/" + file;
  const std::string reason = std::system_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENOTCONN:
    case ECONNABORTED:
      return {ExitStatus::no_daemon, "no daemon serves " + directory + " (" + path + ": " + reason +
                                         ")" + how_to_start(directory)};
    case EINVAL:
      return {ExitStatus::no_daemon, "no daemon serves " + directory + " (" + path +
                                         " is there, but not its file)" + how_to_start(directory)};
    default:
      return {ExitStatus::failed, "cannot open " + path + ": " + reason};
  }
}

Failure daemon_gone(const std::string& directory) {
  return {ExitStatus::no_daemon,
          "the daemon that served " + directory + " has gone" + how_to_start(directory)};
}

}  // namespace watchq
