// SPDX-License-Identifier: MIT
#include "daemon/config.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

namespace watchq {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw std::runtime_error(place + ": " + what);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    refuse(path, "cannot read the configuration: " + std::system_category().message(errno));
  }
  return text;
}

/// The value as a whole number in these bounds; throws what is wrong with it.
std::int64_t whole(const Json& value, std::int64_t least, std::int64_t most) {
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (number >= least && number <= most) return number;
  }
  throw std::invalid_argument("must be a whole number from " + std::to_string(least) + " to " +
                              std::to_string(most));
}

using Setter = std::function<void(Config&, const Json&)>;

/// The setter of a limit, which `limit` finds in the configuration.
template <typename Limit>
Setter limit_setter(Limit limit) {
  return [limit](Config& config, const Json& value) {
    limit(config) = static_cast<std::uint64_t>(whole(value, 1, 1 << 30));
  };
}

/// The setter of a time in milliseconds, which `time` finds in the configuration.
template <typename Time>
Setter time_setter(Time time) {
  return [time](Config& config, const Json& value) {
    time(config) = std::chrono::milliseconds(whole(value, 10, 3'600'000));
  };
}

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> kSetters = {
      {"max_ring_pages",
       [](Config& config, const Json& value) {
         const auto pages = static_cast<std::uint32_t>(whole(value, 1, 1 << 20));
         if (!std::has_single_bit(pages)) throw std::invalid_argument("must be a power of two");
         config.queues.max_ring_pages = pages;
       }},
      {"look_interval_ms",
       time_setter([](Config & config) -> auto& { return config.mounts.look_interval; })},
      {"space_interval_ms",
       time_setter([](Config & config) -> auto& { return config.space.interval; })},
      {"space_patience_ms",
       time_setter([](Config & config) -> auto& { return config.space.patience; })},
      {"network_interval_ms",
       time_setter([](Config & config) -> auto& { return config.network.interval; })},
      {"network_limit_ms",
       time_setter([](Config & config) -> auto& { return config.network.limit; })},
      {"look_share",
       [](Config& config, const Json& value) {
         const double share = value.is_number() ? value.get<double>() : 0;
         if (!(share > 0 && share <= 1)) {
           throw std::invalid_argument("must be a number over 0 and up to 1");
         }
         config.mounts.look_share = share;
       }},
      {"max_queues",
       limit_setter([](Config & config) -> auto& { return config.queues.queues.in_all; })},
      {"max_queues_per_user",
       limit_setter([](Config & config) -> auto& { return config.queues.queues.per_user; })},
      {"max_pages",
       limit_setter([](Config & config) -> auto& { return config.queues.pages.in_all; })},
      {"max_pages_per_user",
       limit_setter([](Config & config) -> auto& { return config.queues.pages.per_user; })},
  };
  return kSetters;
}

/// The line that a byte of the text is in, counted from 1.
std::size_t line_at(const std::string& text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

Json parse(const std::string& path, const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    refuse(path + ":" + std::to_string(line_at(text, error.byte == 0 ? 0 : error.byte - 1)),
           error.what());
  }
}

}  // namespace

Config read_config(const std::string& path) {
  const std::string text = read_text(path);
  const Json json = parse(path, text);
  if (!json.is_object()) refuse(path, "the configuration must be one JSON object");
  Config config;
  for (const auto& [key, value] : json.items()) {
    const std::string place =
        path + ":" + std::to_string(line_at(text, text.find(Json(key).dump())));
    const auto setter = setters().find(key);
    if (setter == setters().end()) {
      std::string what = "unknown key \"" + key + "\"; known are:";
      for (const auto& [name, set] : setters()) what += " " + name;
      refuse(place, what);
    }
    try {
      setter->second(config, value);
    } catch (const std::invalid_argument& error) {
      refuse(place, "\"" + key + "\" " + error.what());
    }
  }
  return config;
}

}  // namespace watchq
