// SPDX-License-Identifier: MIT
// KeyBackend: a way to hear what is done to keys.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/key_rights.h"
#include "source/key_event.h"

namespace watchq {

/// Tells each change once, in the order in which the changes to a key were made. Events of keys
/// that are not watched cost little to drop, so a backend need not sort them out. What it cannot
/// see (expiry, the kernel's own changes) a comparison of states sees later, for all backends; a
/// change that both see is told once by whoever of the two has it first.
///
/// All on the serving thread, which none of this may block: system calls that answer at once are
/// fine.
class KeyBackend {
 public:
  virtual ~KeyBackend() = default;

  /// From now on all that is done to this key is told. Called once for each key, however many watch
  /// it; `rights` are those of a client that may view it, `shown` what may be linked in it where
  /// those do not suffice to read it. Throws std::system_error where this key cannot be watched so:
  /// then the comparison alone does.
  virtual void watch(KeySerial key, const KeyRights& rights,
                     const std::vector<KeySerial>& shown) = 0;
  /// Undoes it. Events of it may still come.
  virtual void unwatch(KeySerial key) = 0;
  /// Takes in, and puts into the sink, all that happened before this call as far as the kernel has
  /// told it.
  virtual void sync() = 0;
};

/// A backend that there may be, best first.
struct KeyBackendChoice {
  std::string name;  ///< for --key-backend and `status`
  /// Makes it; nothing is seen before its first watch(). Both arguments outlive it. Throws
  /// std::system_error whose text says why it cannot work here: tried and not guessed, and without
  /// cost to the machine.
  std::function<std::unique_ptr<KeyBackend>(boost::asio::io_context&, KeyBackendSink&)> make;
};

/// pipe, bpf, trace; those that this build has. The comparison, "poll", is none of them: it is
/// always there.
const std::vector<KeyBackendChoice>& key_backend_choices();

}  // namespace watchq
