// SPDX-License-Identifier: MIT
// The daemon's files, for those who read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace watchq {

/// The text of a file below the daemon's mount point. Throws Failure.
std::string read_daemon_file(const std::string& directory, const std::string& file);
/// A file that a daemon need not have, or not for us: nothing where it cannot be read.
std::optional<std::string> try_daemon_file(const std::string& directory, const std::string& file);
/// The JSON document in a file. Throws Failure.
nlohmann::ordered_json read_daemon_json(const std::string& directory, const std::string& file);
/// The names in a directory that are numbers, in the order of these. Throws Failure.
std::vector<std::string> list_daemon_directory(const std::string& directory,
                                               const std::string& name);
/// The JSON documents of all files in a directory; what goes while they are read is left out.
/// Throws Failure.
std::vector<nlohmann::ordered_json> read_daemon_directory(const std::string& directory,
                                                          const std::string& name);

}  // namespace watchq
