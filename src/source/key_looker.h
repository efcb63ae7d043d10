// SPDX-License-Identifier: MIT
// KeyLooker: the thread that looks at keys.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "source/key_look.h"

namespace watchq {

/// Looks where the serving thread may not wait. One look at a time; the serving thread only.
class KeyLooker {
 public:
  /// Who looks, at which keys, in order.
  using Task = std::pair<std::shared_ptr<const KeyWatcher>, std::vector<KeySerial>>;
  struct Seen {
    std::shared_ptr<const KeyWatcher> watcher;
    std::vector<KeyLook> looks;
  };
  struct Result {
    std::vector<Seen> seen;
    std::chrono::steady_clock::duration spent{};  ///< of the thread's time
  };
  using Done = std::function<void(Result)>;

  /// `io` runs the serving thread and outlives this.
  explicit KeyLooker(boost::asio::io_context& io);
  /// A look that is not done is left to itself.
  ~KeyLooker();
  KeyLooker(const KeyLooker&) = delete;
  KeyLooker& operator=(const KeyLooker&) = delete;

  /// Starts the thread, if it has not been: no tracepoints opened later see it look.
  void start();
  /// `done` is called on the serving thread. None may be under way.
  void look(std::vector<Task> tasks, Done done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace watchq
