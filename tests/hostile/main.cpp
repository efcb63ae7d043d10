// SPDX-License-Identifier: MIT
// Stress: unprivileged processes do all they can to a daemon, while honest clients are owed records
// and must get each, in order. Run as root: it mounts, and becomes other users.
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <stdexcept>
#include <vector>

#include "base/error.h"
#include "hostile/honest.h"
#include "hostile/leader.h"

namespace watchq {
namespace {

constexpr unsigned int kUsers[] = {65534, 65533};

struct Options {
  std::string mount_point;
  std::string work;
  double seconds = 20;
  std::uint64_t rounds = 0;
  std::uint64_t seed = std::random_device{}();
  unsigned int processes = 4;
  unsigned int threads = 32;
  std::string only;
};

void print_usage() {
  std::fputs(
      "usage: stress --mount-point DIR --work DIR [--seconds N] [--rounds N] [--seed N]\n"
      "              [--processes N (of each user)] [--threads N (that poll, in a process)]\n"
      "              [--only ATTACK (by its name in the results)]\n"
      "Ends when both so many seconds and so many rounds are over.\n",
      stderr);
}

bool read_options(int argc, char** argv, Options& options) {
  static constexpr option kOptions[] = {
      {"mount-point", 1, nullptr, 'm'}, {"work", 1, nullptr, 'w'}, {"seconds", 1, nullptr, 's'},
      {"rounds", 1, nullptr, 'r'},      {"seed", 1, nullptr, 'e'}, {"processes", 1, nullptr, 'p'},
      {"threads", 1, nullptr, 't'},     {"only", 1, nullptr, 'o'}, {nullptr, 0, nullptr, 0}};
  for (int given = 0; (given = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string value = optarg != nullptr ? optarg : "";
    switch (given) {
      case 'm':
        options.mount_point = value;
        break;
      case 'w':
        options.work = value;
        break;
      case 's':
        options.seconds = std::stod(value);
        break;
      case 'r':
        options.rounds = std::stoull(value);
        break;
      case 'e':
        options.seed = std::stoull(value);
        break;
      case 'p':
        options.processes = static_cast<unsigned int>(std::stoul(value));
        break;
      case 't':
        options.threads = static_cast<unsigned int>(std::stoul(value));
        break;
      case 'o':
        options.only = value;
        break;
      default:
        return false;
    }
  }
  return !options.mount_point.empty() && !options.work.empty();
}

/// The numbers of the attacks that are wanted: all, or the one of this name.
std::vector<std::size_t> find_attacks(const std::string& name) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < attacks().size(); ++at) {
    if (name.empty() || name == attacks()[at].name) found.push_back(at);
  }
  if (found.empty()) throw std::runtime_error("no attack has the name " + name);
  return found;
}

/// A child that ends with 0 when `work` returns, and says what it throws.
pid_t start_client(Shared& shared, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) throw_errno("fork");
  if (child != 0) return child;
  try {
    work();
    ::_exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stress: %s\n", error.what());
    shared.stop.store(true);
    ::_exit(1);
  }
}

std::uint64_t rounds_of(const Shared& shared) {
  std::uint64_t sum = 0;
  for (const auto& rounds : shared.tallies.rounds) sum += rounds.load();
  return sum;
}

void print_delays(const char* what, const Delays& delays) {
  std::printf("%-24s %8llu records, delay in us: p50 %.0f, p99 %.0f, max %.0f\n", what,
              static_cast<unsigned long long>(delays.count()), delays.quantile(0.5),
              delays.quantile(0.99), delays.longest());
}

void print_results(const Shared& shared) {
  for (std::size_t at = 0; at < attacks().size(); ++at) {
    std::printf("%-24s %8llu\n", attacks()[at].name,
                static_cast<unsigned long long>(shared.tallies.rounds.at(at).load()));
  }
  for (std::size_t at = 0; at < kWatchers; ++at) {
    print_delays(at % 2 == 0 ? "watcher that maps" : "watcher that reads",
                 shared.watchers.at(at).delays);
  }
  print_delays("injector", shared.injected);
  std::printf("rounds %llu, attackers killed %llu, died %llu, mounts and unmounts %llu\n",
              static_cast<unsigned long long>(rounds_of(shared)),
              static_cast<unsigned long long>(shared.tallies.killed.load()),
              static_cast<unsigned long long>(shared.tallies.died.load()),
              static_cast<unsigned long long>(shared.steps_done.load()));
}

std::vector<pid_t> start_honest(Shared& shared, const std::string& queue, const std::string& base) {
  std::vector<pid_t> clients;
  for (std::size_t number = 0; number < kWatchers; ++number) {
    clients.push_back(
        start_client(shared, [&, number] { run_watcher(shared, number, queue, base); }));
  }
  clients.push_back(start_client(shared, [&] { run_injector(shared, queue); }));
  for (std::size_t number = 0; number < kWatchers; ++number) {
    while (!shared.watchers.at(number).ready.load() && !shared.stop.load()) ::usleep(1000);
  }
  return clients;
}

/// Waits for children. Returns whether all ended as they should.
bool await_all(const std::vector<pid_t>& children) {
  bool good = true;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return good;
}

bool run(const Options& options) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  Shared& shared = *make_shared_state();
  // Attackers name the directory by this descriptor alone: nobody but us may go below.
  const std::string base = options.work + "/base";
  const UniqueFd base_fd(::open(base.c_str(), O_PATH | O_DIRECTORY));
  if (!base_fd.valid()) throw_errno(base);
  const Target target{options.mount_point, base_fd.get(), options.work + "/yard", options.threads,
                      find_attacks(options.only)};
  static_cast<void>(::mkdir(target.yard.c_str(), 0777));
  if (::chmod(target.yard.c_str(), 0777) != 0) throw_errno("chmod");

  const auto honest = start_honest(shared, options.mount_point + "/queue", base);
  std::mt19937_64 random(options.seed);
  std::vector<pid_t> leaders;
  for (const unsigned int user : kUsers) {
    leaders.push_back(start_leader(target, shared, user, options.processes, random()));
  }
  bool good = true;
  try {
    Mounter mounter(shared, base);
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(options.seconds * 1e9);
    while (!shared.stop.load() && (now_ns() < end || rounds_of(shared) < options.rounds)) {
      mounter.burst(1 + random() % 8);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stress: %s\n", error.what());
    good = false;
  }
  for (const pid_t leader : leaders) ::kill(leader, SIGKILL);
  await_all(leaders);
  shared.stop.store(true);
  if (!good) {
    for (const pid_t client : honest) ::kill(client, SIGKILL);
  }
  good = await_all(honest) && good;
  print_results(shared);
  return good;
}

}  // namespace
}  // namespace watchq

int main(int argc, char** argv) {
  watchq::Options options;
  try {
    if (!watchq::read_options(argc, argv, options)) {
      watchq::print_usage();
      return 2;
    }
    return watchq::run(options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stress: %s\n", error.what());
    return 1;
  }
}
