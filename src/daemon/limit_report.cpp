// SPDX-License-Identifier: MIT
#include "daemon/limit_report.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace watchq {
namespace {

constexpr auto kQuiet = std::chrono::seconds(10);

}  // namespace

UserLimit::OnRefusal refusal_log(std::string of_what) {
  using Clock = std::chrono::steady_clock;
  return [of_what = std::move(of_what), last = std::optional<Clock::time_point>(),
          left_out = std::uint64_t{0}](uid_t user, const UserLimit::Most& most) mutable {
    const auto now = Clock::now();
    if (last && now - *last < kQuiet) {
      ++left_out;
      return;
    }
    last = now;
    const std::string more =
        left_out == 0 ? "" : " (and " + std::to_string(left_out) + " times others or again)";
    left_out = 0;
    spdlog::warn("uid {} has reached the limit of {}: {} for each user, {} in all{}", user, of_what,
                 most.per_user, most.in_all, more);
  };
}

UserLimit make_limit(std::string of_what, UserLimit::Most most, int error) {
  return {most, error, refusal_log(std::move(of_what))};
}

nlohmann::ordered_json describe(const UserLimit& limit) {
  return {{"held", limit.held()},
          {"per_user", limit.most().per_user},
          {"in_all", limit.most().in_all},
          {"refusals", limit.refusals()}};
}

}  // namespace watchq
