// SPDX-License-Identifier: MIT
// Mounts and unmounts while others watch, and says what that cost them and how soon they knew.
//
// Runs in a mount namespace of its own that somebody has prepared. Writes one JSON object: times in
// nanoseconds; processor time per event is what daemon and watchers spent, less what they spend
// when nothing happens.
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <span>

#include "bench/process_times.h"
#include "bench/two_processes.h"
#include "bench/watcher.h"

namespace watchq::bench {
namespace {

/// More than the 200 ms after which watchq_wait() leaves the ring for poll(2).
constexpr useconds_t kSettlingUs = 400'000;

struct Settings {
  WatcherTask task;
  unsigned watchers = 1;
  unsigned cares = 0;     ///< how many of them watch where it happens; 0: all
  std::string elsewhere;  ///< what the others watch
  pid_t daemon = 0;
  std::string source;  ///< bound onto the targets
  std::string target;
  unsigned pairs = 10;     ///< of a mount and an umount
  unsigned gap_us = 2000;  ///< between one event that was heard of and the next
  unsigned baseline_ms = 1000;
  unsigned deadline_s = 120;
  bool storm = false;  ///< waits for nobody
};

class Watchers {
 public:
  explicit Watchers(const Settings& settings)
      : settings_(settings),
        slots_(settings.watchers * settings.task.queues),
        memory_(slots_ * sizeof(Seen)),
        seen_(reinterpret_cast<Seen*>(memory_.data())) {
    for (std::size_t at = 0; at < slots_; ++at) new (seen_ + at) Seen;
    for (unsigned at = 0; at < settings.watchers; ++at) start(at);
    wait_for([](const Seen& seen) { return seen.ready.load(std::memory_order_acquire); }, slots_);
  }
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  ~Watchers() {
    for (const pid_t process : processes_) ::kill(process, SIGKILL);
    for (const pid_t process : processes_) ::waitpid(process, nullptr, 0);
  }

  [[nodiscard]] const std::vector<pid_t>& processes() const { return processes_; }
  [[nodiscard]] std::size_t caring() const {
    return (settings_.cares == 0 ? settings_.watchers : settings_.cares) * settings_.task.queues;
  }
  [[nodiscard]] std::span<const Seen> seen() const { return {seen_, slots_}; }

  void wait_for_events(std::uint64_t events) const {
    wait_for(
        [&](const Seen& seen) { return seen.events.load(std::memory_order_acquire) >= events; },
        caring());
  }
  [[nodiscard]] std::uint64_t last_ns() const {
    std::uint64_t last = 0;
    for (const Seen& seen : this->seen().first(caring()))
      last = std::max(last, seen.last_ns.load());
    return last;
  }
  [[nodiscard]] std::uint64_t losses() const {
    std::uint64_t losses = 0;
    for (const Seen& seen : this->seen()) losses += seen.losses.load();
    return losses;
  }

 private:
  void start(unsigned number) {
    const pid_t process = ::fork();
    if (process < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      WatcherTask task = settings_.task;
      if (settings_.cares != 0 && number >= settings_.cares) task.directory = settings_.elsewhere;
      watch_for_ever(task, seen_ + number * task.queues);
    }
    processes_.push_back(process);
  }

  template <typename Condition>
  void wait_for(Condition condition, std::size_t count) const {
    const std::uint64_t end = now_ns() + settings_.deadline_s * std::uint64_t{1'000'000'000};
    for (std::size_t at = 0; at < count;) {
      if (condition(seen_[at])) {
        ++at;
        continue;
      }
      if (now_ns() > end) throw std::runtime_error("watchers do not get ready or hear nothing");
      ::usleep(50);
    }
  }

  const Settings& settings_;
  std::size_t slots_;
  SharedMemory memory_;
  Seen* seen_;
  std::vector<pid_t> processes_;
};

/// Mounts and unmounts, and keeps the time.
class Mounter {
 public:
  Mounter(const Settings& settings, const Watchers& watchers, const std::vector<pid_t>& processes)
      : settings_(settings), watchers_(watchers), processes_(processes) {}

  void run() {
    for (unsigned pair = 0; pair < settings_.pairs; ++pair) {
      one([&] {
        return ::mount(settings_.source.c_str(), settings_.target.c_str(), nullptr, MS_BIND,
                       nullptr);
      });
      one([&] { return ::umount2(settings_.target.c_str(), 0); });
    }
    if (settings_.storm) watchers_.wait_for_events(done_);
    wait_until_quiet(processes_);
  }

  /// Of each event, until the last who cares had it: since mount(2) returned, which may be less
  /// than nothing, and since it was called.
  [[nodiscard]] const std::vector<std::int64_t>& after_return() const { return after_return_; }
  [[nodiscard]] const std::vector<std::int64_t>& after_call() const { return after_call_; }
  [[nodiscard]] std::uint64_t own_ns() const { return own_ns_; }

 private:
  static std::uint64_t thread_ns() {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(spent.tv_nsec);
  }

  template <typename Call>
  void one(Call call) {
    const std::uint64_t before = thread_ns();
    const std::uint64_t called = now_ns();
    if (call() != 0) throw std::system_error(errno, std::generic_category(), settings_.target);
    const std::uint64_t returned = now_ns();
    own_ns_ += thread_ns() - before;
    ++done_;
    if (settings_.storm) return;
    const bool counts = counts_events(settings_.task.kind);
    if (counts) {
      watchers_.wait_for_events(done_);
    } else {
      wait_until_quiet(processes_);
    }
    const std::uint64_t known = watchers_.last_ns();
    after_return_.push_back(static_cast<std::int64_t>(known - returned));
    after_call_.push_back(static_cast<std::int64_t>(known - called));
    if (counts) ::usleep(settings_.gap_us);
  }

  const Settings& settings_;
  const Watchers& watchers_;
  const std::vector<pid_t>& processes_;
  std::uint64_t done_ = 0;
  std::uint64_t own_ns_ = 0;
  std::vector<std::int64_t> after_return_;
  std::vector<std::int64_t> after_call_;
};

void print_list(const char* name, const std::vector<std::int64_t>& values) {
  std::printf(",\"%s\":[", name);
  const char* between = "";
  for (const std::int64_t value : values) {
    std::printf("%s%lld", between, static_cast<long long>(value));
    between = ",";
  }
  std::printf("]");
}

void run(const Settings& settings) {
  const Watchers watchers(settings);
  std::vector<pid_t> processes = watchers.processes();
  if (settings.daemon != 0) processes.push_back(settings.daemon);
  const bool spins = settings.task.kind.ends_with("-spin");
  const std::vector<pid_t> quiet_ones = spins ? std::vector<pid_t>{} : processes;
  // Who waits for long goes on to wait in another way: what that costs once is no part of idleness.
  if (settings.baseline_ms != 0) ::usleep(kSettlingUs);
  wait_until_quiet(quiet_ones);

  std::uint64_t before = processor_ns(processes);
  std::uint64_t began = now_ns();
  ::usleep(settings.baseline_ms * 1000);
  const double idle = settings.baseline_ms == 0
                          ? 0
                          : static_cast<double>(processor_ns(processes) - before) /
                                static_cast<double>(now_ns() - began);
  Mounter mounter(settings, watchers, quiet_ones);
  before = processor_ns(processes);
  began = now_ns();
  mounter.run();
  const double spent = static_cast<double>(processor_ns(processes) - before);
  const double elapsed = static_cast<double>(now_ns() - began);
  const double events = 2.0 * settings.pairs;

  std::printf(R"({"kind":"%s","watchers":%u,"events":%.0f,"cpu_ns":%.1f,"idle_share":%.6f,)"
              R"("mounter_ns":%.1f,"elapsed_ns":%.0f,"losses":%llu)",
              settings.task.kind.c_str(), settings.watchers, events,
              (spent - idle * elapsed) / events, idle,
              static_cast<double>(mounter.own_ns()) / events, elapsed,
              static_cast<unsigned long long>(watchers.losses()));
  print_list("after_return_ns", mounter.after_return());
  print_list("after_call_ns", mounter.after_call());
  std::printf("}\n");
}

}  // namespace
}  // namespace watchq::bench

int main(int argc, char** argv) {
  CLI::App app("Mounts while others watch.");
  watchq::bench::Settings settings;
  app.add_option("--kind", settings.task.kind, "how they watch")->required();
  app.add_option("--watchers", settings.watchers, "how many processes");
  app.add_option("--queues", settings.task.queues, "of each process");
  app.add_option("--cares", settings.cares, "how many watch where it happens; 0: all");
  app.add_option("--queue", settings.task.queue, "the daemon's queue");
  app.add_option("--daemon", settings.daemon, "its process");
  app.add_option("--watch", settings.task.directory, "what to watch");
  app.add_option("--elsewhere", settings.elsewhere, "what those watch who do not care");
  app.add_option("--pages", settings.task.pages, "of each ring");
  app.add_option("--sleep-ms", settings.task.sleep_ms, "a watcher's nap at the first record");
  app.add_option("--source", settings.source, "what to bind")->required();
  app.add_option("--target", settings.target, "where to")->required();
  app.add_option("--pairs", settings.pairs, "mounts, each with its umount");
  app.add_option("--gap-us", settings.gap_us, "between events");
  app.add_option("--baseline-ms", settings.baseline_ms, "to see what idleness costs");
  app.add_option("--deadline-s", settings.deadline_s, "for all to hear of an event");
  app.add_flag("--storm", settings.storm, "waits for nobody");
  CLI11_PARSE(app, argc, argv);
  try {
    watchq::bench::run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_mounts: %s\n", error.what());
    return 1;
  }
}
