// SPDX-License-Identifier: MIT
// Records between two processes, a core each: watchq's ring beside its peers, in turn. Writes one
// JSON object a line for each run. Units: records per second, nanoseconds.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/channels.h"

namespace watchq::bench {
namespace {

struct Settings {
  unsigned rounds = 9;
  unsigned milliseconds = 200;
  std::string figures = "throughput,sizes,pages,roundtrip";

  [[nodiscard]] bool wants(const std::string& figure) const {
    return ("," + figures + ",").find("," + figure + ",") != std::string::npos;
  }
};

constexpr std::size_t kUsualPages = 16;

/// What both ends of a run tell each other beside the channel.
struct Outcome {
  std::atomic<std::uint32_t> sent{0};
  std::atomic<bool> all_sent{false};
  std::uint64_t received = 0;
  std::uint64_t sum = 0;
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
};

void report(const char* figure, const char* name, std::size_t bytes, std::size_t pages,
            double value) {
  std::printf(R"({"figure":"%s","name":"%s","bytes":%zu,"pages":%zu,"value":%.6g})"
              "\n",
              figure, name, bytes, pages, value);
  std::fflush(stdout);
}

template <std::size_t Bytes, typename Channel>
void take_all(Channel& channel, Outcome& outcome, const Spin& spin) {
  std::uint64_t received = 0;
  std::uint64_t sum = 0;
  for (;;) {
    const bool last_look = outcome.all_sent.load(std::memory_order_acquire);
    const std::size_t got = channel.receive([&](const Message<Bytes>& message) {
      if (received == 0 && sum == 0) outcome.began = now_ns();
      sum += message.number();
    });
    received += got;
    if (got != 0) continue;
    if (last_look) break;
    spin.wait();
  }
  outcome.ended = now_ns();
  outcome.received = received;
  outcome.sum = sum;
}

/// Records per second that arrive; all that were sent must, unchanged.
template <typename Channel, std::size_t Bytes>
double throughput(std::size_t pages, unsigned milliseconds) {
  Channel channel(pages);
  const SharedMemory shared(sizeof(Outcome));
  auto& outcome = *new (shared.data()) Outcome;
  std::uint64_t sum = 0;
  run_pair([&](const Spin& spin) { take_all<Bytes>(channel, outcome, spin); },
           [&](const Spin& spin) {
             Message<Bytes> message(1);
             const std::uint64_t end = now_ns() + std::uint64_t{milliseconds} * 1'000'000;
             std::uint32_t number = 1;
             do {
               for (int many = 0; many < 1024; ++many, ++number) {
                 message.set_number(number);
                 sum += message.number();
                 while (!channel.send(message)) spin.wait();
               }
             } while (now_ns() < end);
             channel.flush();
             outcome.sent = number - 1;
             outcome.all_sent.store(true, std::memory_order_release);
           });
  if (outcome.received != outcome.sent || outcome.sum != sum) {
    throw std::runtime_error("sent " + std::to_string(outcome.sent) + " records, received " +
                             std::to_string(outcome.received));
  }
  return static_cast<double>(outcome.received) * 1e9 /
         static_cast<double>(outcome.ended - outcome.began);
}

/// Waits for the one message that must come.
template <typename Channel, std::size_t Bytes>
std::uint64_t take_one(Channel& channel, const Spin& spin) {
  std::uint64_t number = 0;
  while (channel.receive([&](const Message<Bytes>& message) { number = message.number(); }) == 0) {
    spin.wait();
  }
  return number;
}

/// Nanoseconds for one record there and one back.
template <typename Channel, std::size_t Bytes>
double round_trip(std::uint32_t trips) {
  Channel there(kUsualPages);
  Channel back(kUsualPages);
  double result = 0;
  const auto send = [](Channel& channel, const Message<Bytes>& message, const Spin& spin) {
    while (!channel.send(message)) spin.wait();
    channel.flush();
  };
  run_pair(
      [&](const Spin& spin) {
        Message<Bytes> message(0);
        for (std::uint32_t trip = 1; trip <= trips; ++trip) {
          message.set_number(static_cast<std::uint32_t>(take_one<Channel, Bytes>(there, spin)));
          send(back, message, spin);
        }
      },
      [&](const Spin& spin) {
        Message<Bytes> message(0);
        const std::uint64_t began = now_ns();
        for (std::uint32_t trip = 1; trip <= trips; ++trip) {
          message.set_number(trip);
          send(there, message, spin);
          if (take_one<Channel, Bytes>(back, spin) != trip) throw std::runtime_error("wrong reply");
        }
        result = static_cast<double>(now_ns() - began) / trips;
      });
  return result;
}

/// Nanoseconds for one cache line there and back: what no channel can beat.
double bare_line(std::uint32_t trips) {
  const SharedMemory shared(4096);
  auto& there = *new (shared.data()) std::atomic<std::uint32_t>(0);
  auto& back = *new (shared.data() + 128) std::atomic<std::uint32_t>(0);
  double result = 0;
  run_pair(
      [&](const Spin& spin) {
        for (std::uint32_t trip = 1; trip <= trips; ++trip) {
          while (there.load(std::memory_order_acquire) != trip) spin.wait();
          back.store(trip, std::memory_order_release);
        }
      },
      [&](const Spin& spin) {
        const std::uint64_t began = now_ns();
        for (std::uint32_t trip = 1; trip <= trips; ++trip) {
          there.store(trip, std::memory_order_release);
          while (back.load(std::memory_order_acquire) != trip) spin.wait();
        }
        result = static_cast<double>(now_ns() - began) / trips;
      });
  return result;
}

template <std::size_t Bytes>
void compare(const char* figure, std::size_t pages, const Settings& settings) {
  const auto one = [&]<typename Channel>(const char* name) {
    report(figure, name, Bytes, pages, throughput<Channel, Bytes>(pages, settings.milliseconds));
  };
  one.template operator()<WatchqChannel<Bytes, 32>>("watchq");
  one.template operator()<IndexCachingChannel<Bytes>>("index-caching");
  one.template operator()<WatchqChannel<Bytes, 1>>("watchq-single");
  one.template operator()<BoostChannel<Bytes, 1>>("boost");
  one.template operator()<BoostChannel<Bytes, 32>>("boost-burst");
  one.template operator()<PipeChannel<Bytes>>("pipe");
}

void compare_round_trips(const Settings& settings) {
  constexpr std::size_t kBytes = 32;
  const auto trips = settings.milliseconds * 1000U;  // of some 0.2 us
  const auto one = [&](const char* name, double nanoseconds) {
    report("roundtrip", name, kBytes, kUsualPages, nanoseconds);
  };
  one("watchq", round_trip<WatchqChannel<kBytes, 1>, kBytes>(trips));
  one("index-caching", round_trip<IndexCachingChannel<kBytes>, kBytes>(trips));
  one("boost", round_trip<BoostChannel<kBytes, 1>, kBytes>(trips));
  one("pipe", round_trip<PipeChannel<kBytes>, kBytes>(trips / 8));
  one("bare line", bare_line(trips));
}

void run(const Settings& settings) {
  for (unsigned round = 0; round < settings.rounds; ++round) {
    if (settings.wants("throughput")) compare<32>("throughput", kUsualPages, settings);
    if (settings.wants("roundtrip")) compare_round_trips(settings);
  }
  // Fewer rounds: these show a shape.
  for (unsigned round = 0; round < (settings.rounds + 2) / 3; ++round) {
    if (settings.wants("sizes")) {
      compare<8>("sizes", kUsualPages, settings);
      compare<16>("sizes", kUsualPages, settings);
      compare<32>("sizes", kUsualPages, settings);
      compare<64>("sizes", kUsualPages, settings);
      compare<128>("sizes", kUsualPages, settings);
      compare<256>("sizes", kUsualPages, settings);
      compare<504>("sizes", kUsualPages, settings);
    }
    if (settings.wants("pages")) {
      for (const std::size_t pages : {1U, 4U, 16U, 64U, 256U, 1024U, 4096U}) {
        compare<32>("pages", pages, settings);
      }
    }
  }
}

}  // namespace
}  // namespace watchq::bench

int main(int argc, char** argv) {
  CLI::App app("Records between two processes, watchq's ring beside its peers.");
  watchq::bench::Settings settings;
  app.add_option("--rounds", settings.rounds, "how often each is measured, in turn");
  app.add_option("--ms", settings.milliseconds, "how long one run takes");
  app.add_option("--figures", settings.figures, "which, by commas");
  CLI11_PARSE(app, argc, argv);
  try {
    watchq::bench::run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ring: %s\n", error.what());
    return 1;
  }
}
