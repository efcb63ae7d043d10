// SPDX-License-Identifier: MIT
// Metrics: numbers for who watches the daemon, in Prometheus' text format.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace watchq {

enum class MetricKind {
  counter,  ///< only grows, while the daemon lives
  gauge,
};

/// A number of the daemon. `status` has it by its name; `metrics` as watchq_NAME, with _total
/// behind it when it is a counter.
struct Metric {
  std::string name;
  std::string help;
  MetricKind kind{};
  std::uint64_t value = 0;
};

/// The text format, version 0.0.4: one family of metrics after the other.
class MetricsText {
 public:
  void add(const Metric& metric);

  using Labels = std::vector<std::pair<std::string, std::string>>;
  /// Begins a family whose samples have labels.
  void begin(const std::string& name, const std::string& help, MetricKind kind);
  void sample(const Labels& labels, std::uint64_t value);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string family_;
};

}  // namespace watchq
