// SPDX-License-Identifier: MIT
// Attacker: one unprivileged process that means ill, and what it may do.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hostile/shared.h"

namespace watchq {

/// Where the attacks go, the same for all attackers of a run.
struct Target {
  std::string mount_point;  ///< of the daemon
  int base_fd = -1;         ///< O_PATH: the directory whose mounts honest clients watch
  std::string yard;         ///< a directory that everybody may write in
  unsigned int threads = 32;
  std::vector<std::size_t> attacks;  ///< what is done, by number
};

/// Made after the fork, as root; become() it before the first attack. One thread draws from it.
class Attacker {
 public:
  Attacker(const Target& target, Tallies& tallies, std::uint64_t seed)
      : target_(target), tallies_(tallies), random_(seed) {}

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] std::string queue_path() const { return target_.mount_point + "/queue"; }

  std::uint64_t draw() { return random_(); }
  /// 0 to `end` - 1.
  std::size_t below(std::size_t end) { return draw() % end; }
  bool chance(unsigned int percent) { return draw() % 100 < percent; }
  template <typename Value, std::size_t Count>
  Value one_of(const Value (&values)[Count]) {
    return values[below(Count)];
  }
  /// A number near where things change: 0, powers of two, the ends.
  std::uint64_t odd_number();
  /// Flags of which each is set as likely as not.
  std::uint64_t any_of(std::span<const std::uint64_t> flags);

  /// A queue; invalid when it cannot be had now.
  UniqueFd open_queue(int flags);
  /// Something that is open, or is not: for arguments that want a descriptor.
  int any_object(int queue);

  /// Each thing that is done counts.
  void did(std::uint64_t times = 1) { tallies_.rounds.at(attack_) += times; }
  void begin(std::size_t attack) { attack_ = attack; }

  /// Memory that never comes to who reads it, while this process lives; null: there is none.
  [[nodiscard]] void* stalled_page() const { return stalled_page_; }
  void set_stalled_page(void* page) { stalled_page_ = page; }

 private:
  const Target& target_;
  Tallies& tallies_;
  std::mt19937_64 random_;
  std::size_t attack_ = 0;
  void* stalled_page_ = nullptr;
};

struct Attack {
  const char* name;
  /// Does some of it, a second's work at most; may end the process.
  void (*run)(Attacker&);
};

/// All there are; fewer than kAttacks.
std::span<const Attack> attacks();

/// Before root is given up: who has none may have userfaultfd(2) for faults of its own alone.
void prepare_stalls(Attacker& attacker);

// Each in a file of its kind.
void scribble(Attacker& attacker);
void map_oddly(Attacker& attacker);
void use_files_oddly(Attacker& attacker);
void name_oddly(Attacker& attacker);
void list_oddly(Attacker& attacker);
void call_anything(Attacker& attacker);
void call_ours(Attacker& attacker);
void race_arguments(Attacker& attacker);
void stall_arguments(Attacker& attacker);
void watch_and_forget(Attacker& attacker);
void pass_descriptors(Attacker& attacker);
void crowd_polls(Attacker& attacker);
void read_and_be_interrupted(Attacker& attacker);
void move_house(Attacker& attacker);

}  // namespace watchq
