// SPDX-License-Identifier: MIT
#include "hostile/leader.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "base/error.h"
#include "hostile/honest.h"

namespace watchq {
namespace {

struct Place {
  pid_t attacker = 0;
  std::uint64_t dies_at = 0;
};

void limit_attacker() {
  const rlimit files{512, 512};
  const rlimit none{0, 0};
  const rlimit memory{1UL << 40, 1UL << 40};
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_AS, &memory);
}

[[noreturn]] void attack_until_killed(const Target& target, Tallies& tallies, unsigned int user,
                                      std::uint64_t seed) {
  Attacker attacker(target, tallies, seed);
  limit_attacker();
  if (attacker.chance(20)) prepare_stalls(attacker);
  become(user);
  for (;;) {
    const std::size_t attack = target.attacks[attacker.below(target.attacks.size())];
    attacker.begin(attack);
    attacks()[attack].run(attacker);
  }
}

/// Most die young.
std::uint64_t lifetime(std::mt19937_64& random) {
  return random() % (random() % 8 == 0 ? 1'000'000'000 : 60'000'000);
}

/// Reaps what has ended. Returns whether somebody had.
bool reap(Tallies& tallies, std::vector<Place>& places) {
  int status = 0;
  const pid_t ended = ::waitpid(-1, &status, WNOHANG);
  if (ended <= 0) return false;
  for (Place& place : places) {
    if (place.attacker != ended) continue;
    place.attacker = 0;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) ++tallies.died;
  }
  return true;
}

[[noreturn]] void lead(const Target& target, Tallies& tallies, unsigned int user,
                       unsigned int processes, std::uint64_t seed) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::mt19937_64 random(seed);
  std::vector<Place> places(processes);
  for (;;) {
    while (reap(tallies, places)) {
    }
    for (Place& place : places) {
      if (place.attacker != 0 && now_ns() > place.dies_at) {
        ++tallies.killed;
        ::kill(place.attacker, SIGKILL);
        place.dies_at += 1'000'000'000;
      }
      if (place.attacker != 0) continue;
      const std::uint64_t its_seed = random();
      place = {::fork(), now_ns() + lifetime(random)};
      if (place.attacker == 0) attack_until_killed(target, tallies, user, its_seed);
      if (place.attacker < 0) place.attacker = 0;
    }
    ::usleep(500);
  }
}

}  // namespace

pid_t start_leader(const Target& target, Shared& shared, unsigned int user, unsigned int processes,
                   std::uint64_t seed) {
  // The next child is the first process of a pid namespace.
  const pid_t outer = ::fork();
  if (outer < 0) throw_errno("fork");
  if (outer != 0) return outer;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Tallies& tallies = keep_tallies_alone(shared);
  if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
  const pid_t leader = ::fork();
  if (leader == 0) lead(target, tallies, user, processes, seed);
  // Ends when the leader does, which is killed with us: its namespace goes, and all within.
  int status = 0;
  ::waitpid(leader, &status, 0);
  ::_exit(0);
}

}  // namespace watchq
