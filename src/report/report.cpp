// SPDX-License-Identifier: MIT
#include "report/report.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace watchq {
namespace {

std::chrono::nanoseconds monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

Report report_now(std::span<const std::byte> record, Facts facts) {
  return {std::chrono::system_clock::now(),
          monotonic_now(),
          {record.begin(), record.end()},
          std::move(facts)};
}

LossReport loss_now(std::uint64_t count, LossReason reason) {
  return {std::chrono::system_clock::now(), monotonic_now(), count, reason};
}

std::size_t Report::weight() const {
  std::size_t weight = sizeof *this + record.capacity();
  for (const std::string* text : {&facts.root, &facts.fs_type, &facts.source, &facts.device,
                                  &facts.comm, &facts.key_type, &facts.linked_type}) {
    weight += text->capacity();
  }
  for (const auto* text : {&facts.path, &facts.description, &facts.linked_description}) {
    if (*text) weight += (*text)->capacity();
  }
  return weight;
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time - seconds).count();
  const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
  std::tm local{};
  ::localtime_r(&clock, &local);
  std::array<char, 32> date{};
  std::array<char, 32> fraction{};
  std::array<char, 32> zone{};
  std::strftime(date.data(), date.size(), "%FT%T", &local);
  std::snprintf(fraction.data(), fraction.size(), ".%06ld", static_cast<long>(micros));
  std::strftime(zone.data(), zone.size(), "%z", &local);
  // +hhmm; RFC 3339 wants a colon.
  return std::string(date.data()) + fraction.data() + std::string(zone.data(), 3) + ':' +
         std::string(zone.data() + 3);
}

}  // namespace watchq
