// SPDX-License-Identifier: MIT
// The honest clients of a stress run: what they are owed is known, and checked record by record.
#pragma once

#include <cstdint>
#include <string>

#include "hostile/shared.h"

namespace watchq {

/// How long nothing may come before it is called a hang. No measure of speed.
inline constexpr std::uint64_t kHangNs = 240'000'000'000;

/// Does mounts below a directory, and knows what each watch of it must tell.
class Mounter {
 public:
  /// `directory` exists and is on a mount of its own.
  Mounter(Shared& shared, std::string directory);

  /// Some mounts, then their unmounts in the same order, and waits until all watchers have been
  /// told. Throws std::runtime_error when that takes for ever.
  void burst(std::size_t mounts);

 private:
  void log(std::uint32_t subtype, std::uint32_t mount);
  void await_watchers() const;

  Shared& shared_;
  std::string directory_;
};

/// The mountinfo ID of the mount that a path is on. Throws std::system_error.
std::uint32_t mount_id_of_path(const std::string& path);

/// Runs a watcher until the run stops and all it is owed has come. For a process of its own, which
/// it makes an unprivileged one. Throws std::runtime_error with what came instead of what was due.
/// The even ones map their ring, the odd ones read.
void run_watcher(Shared& shared, std::size_t number, const std::string& queue,
                 const std::string& directory);

/// Injects records of all lengths into a queue of its own, and finds each there. As above.
void run_injector(Shared& shared, const std::string& queue);

/// Gives up root, for good.
void become(unsigned int user);

}  // namespace watchq
