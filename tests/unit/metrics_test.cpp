// SPDX-License-Identifier: MIT
#include "daemon/metrics.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

TEST(Metrics, HaveHelpTypeAndValue) {
  MetricsText text;
  text.add({"records", "Records that went", MetricKind::counter, 5});
  text.add({"queues", "Open queues", MetricKind::gauge, 0});
  EXPECT_EQ(text.text(),
            "# HELP watchq_records_total Records that went\n"
            "# TYPE watchq_records_total counter\n"
            "watchq_records_total 5\n"
            "# HELP watchq_queues Open queues\n"
            "# TYPE watchq_queues gauge\n"
            "watchq_queues 0\n");
}

TEST(Metrics, QuoteWhatLabelsSay) {
  MetricsText text;
  text.begin("x", "a \\ b \" c\nd", MetricKind::gauge);
  text.sample({{"one", "a\"b\\c\nd"}, {"two", ""}}, 1);
  EXPECT_EQ(text.text(),
            "# HELP watchq_x a \\\\ b \" c\\nd\n"
            "# TYPE watchq_x gauge\n"
            "watchq_x{one=\"a\\\"b\\\\c\\nd\",two=\"\"} 1\n");
}

}  // namespace
}  // namespace watchq
