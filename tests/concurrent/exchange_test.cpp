// SPDX-License-Identifier: MIT
// Records exchanged over one ring between two processes, and between two threads.
//
// WATCHQ_TEST_RECORDS sets how many records each test exchanges, WATCHQ_TEST_SEED repeats a run.
#include "concurrent/exchange.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <functional>
#include <random>
#include <thread>

#include "base/mapping.h"
#include "base/memfd.h"
#include "concurrent/record_stream.h"

namespace watchq {
namespace {

constexpr std::uint32_t kRounds = 10;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// Memory as a queue and its client share it.
Mapping sealed_memory(std::size_t size) {
  const UniqueFd fd = create_memfd("watchq-test");
  size_and_seal_memfd(fd.get(), size);
  return Mapping::shared(fd.get(), size);
}

class Thread {
 public:
  explicit Thread(const std::function<void()>& work) : thread_(work) {}
  std::string join() {
    thread_.join();
    return {};
  }

 private:
  std::thread thread_;
};

class Process {
 public:
  explicit Process(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    ::_exit(0);
  }
  /// Returns how it ended, if not well.
  std::string join() const {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return "no process was started";
    return status == 0 ? "" : "the process ended with wait status " + std::to_string(status);
  }

 private:
  pid_t pid_;
};

template <typename Peer>
void exchange(const Round& round, std::size_t pages) {
  SCOPED_TRACE("seed " + std::to_string(round.seed) + ", " + std::to_string(pages) + " pages");
  const Mapping memory = sealed_memory(pages * kPageBytes);
  const Mapping shared = sealed_memory(kPageBytes);
  auto& progress = *new (shared.bytes().data()) Progress;
  RingProducer producer(memory.bytes());

  Peer consumer([&] { consume(round, memory.bytes(), progress); });
  const std::string produced = produce(round, producer, progress);
  const std::string consumed = consumer.join();

  ASSERT_EQ(produced, "") << progress.failure.data();
  ASSERT_EQ(consumed, "");
  ASSERT_FALSE(progress.failed) << progress.failure.data();
  EXPECT_FALSE(producer.readable());
  EXPECT_EQ(producer.lost(), progress.lost);
  if (round.when_full == WhenFull::retry) {
    EXPECT_EQ(progress.received, round.records);
    EXPECT_EQ(progress.flagged, progress.after_loss);
  } else {
    EXPECT_EQ(progress.received + progress.lost, round.records);
    EXPECT_EQ(progress.flagged, progress.after_loss);
    EXPECT_GT(progress.lost, 0u);
    // What was lost at the very end, no record came to tell of.
    EXPECT_LE(progress.missed, progress.lost);
  }
}

/// Exchanges records over rings of random sizes, a new one each round.
template <typename Peer>
void exchange_in_rounds(WhenFull when_full) {
  const auto records = number_from_environment("WATCHQ_TEST_RECORDS", 1'000'000);
  const auto seed = number_from_environment("WATCHQ_TEST_SEED", std::random_device{}());
  std::mt19937_64 random(seed);
  SCOPED_TRACE("WATCHQ_TEST_SEED=" + std::to_string(seed));
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    const Round round{random(), static_cast<std::uint32_t>(records / kRounds), when_full};
    ASSERT_LE(round.records, RecordStream::kMaxRecords);
    exchange<Peer>(round, std::size_t{1} << random() % 7);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(TwoProcesses, ExchangeEveryRecordWhenTheProducerTriesAgain) {
  exchange_in_rounds<Process>(WhenFull::retry);
}

TEST(TwoProcesses, FlagEveryGapAndNothingElseWhenRecordsAreLost) {
  exchange_in_rounds<Process>(WhenFull::lose);
}

TEST(TwoThreads, ExchangeEveryRecordWhenTheProducerTriesAgain) {
  exchange_in_rounds<Thread>(WhenFull::retry);
}

TEST(TwoThreads, FlagEveryGapAndNothingElseWhenRecordsAreLost) {
  exchange_in_rounds<Thread>(WhenFull::lose);
}

}  // namespace
}  // namespace watchq
