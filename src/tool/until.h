// SPDX-License-Identifier: MIT
// Until: --until.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tool/event.h"
#include "tool/options.h"
#include "tool/selection.h"

namespace watchq {

/// Whether superblocks can bring a path into the state.
bool is_of_superblocks(PathState state);

/// What is waited for: an event, or a state of paths. Of a state the kernel is asked, each time
/// that something has happened; so that nothing is missed, the watch must be set before. One
/// thread.
class Until {
 public:
  explicit Until(const MonitorOptions& options);

  /// Whether this is the event that is waited for.
  [[nodiscard]] bool is_met_by(const Event& event) const;
  /// An event that came, and whether it was told.
  void note(const Event& event, bool told);
  /// Nothing as long as not all paths are in the state that is waited for; then what is still to be
  /// told of them. Nothing when it is no state.
  std::optional<std::vector<Event>> reached();

 private:
  struct Target {
    std::string path;     ///< as it was named
    std::string place;    ///< as events name it
    bool lacked = false;  ///< a look has found it in another state
    bool came = false;    ///< it was in the state for a moment at least, as an event says
    bool told = false;    ///< so does a line of the output
  };

  std::optional<EventWord> word_;
  std::optional<PathState> state_;
  Places under_;
  std::vector<Target> targets_;
};

}  // namespace watchq
