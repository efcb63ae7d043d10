// SPDX-License-Identifier: MIT
#include "daemon/metrics.h"

namespace watchq {
namespace {

/// A label's value, or the text of HELP, which quotes nothing but these.
std::string escaped(const std::string& text, bool is_quoted) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else {
      if (c == '\\' || (is_quoted && c == '"')) result += '\\';
      result += c;
    }
  }
  return result;
}

}  // namespace

void MetricsText::add(const Metric& metric) {
  begin(metric.name, metric.help, metric.kind);
  sample({}, metric.value);
}

void MetricsText::begin(const std::string& name, const std::string& help, MetricKind kind) {
  const bool is_counter = kind == MetricKind::counter;
  family_ = "watchq_" + name + (is_counter ? "_total" : "");
  text_ += "# HELP " + family_ + ' ' + escaped(help, false) + '\n';
  text_ += "# TYPE " + family_ + (is_counter ? " counter\n" : " gauge\n");
}

void MetricsText::sample(const Labels& labels, std::uint64_t value) {
  text_ += family_;
  const char* before = "{";
  for (const auto& [name, label] : labels) {
    text_ += before + name + "=\"" + escaped(label, true) + '"';
    before = ",";
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ' + std::to_string(value) + '\n';
}

}  // namespace watchq
