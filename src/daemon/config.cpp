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
#include <type_traits>
#include <utility>

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

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

/// One key of the file.
struct Setting {
  std::function<void(Config&, const Json&)> set;  ///< throws std::invalid_argument
  std::function<Json(const Config&)> get;
};

/// A number that `find` finds in the configuration, in these bounds.
template <typename Find>
Setting number(Find find, std::int64_t least = 1, std::int64_t most = 1 << 30) {
  using Number = std::remove_cvref_t<decltype(find(std::declval<Config&>()))>;
  return {[=](Config& config, const Json& value) {
            find(config) = static_cast<Number>(whole(value, least, most));
          },
          [=](const Config& config) -> Json { return find(config); }};
}

/// A time in milliseconds.
template <typename Find>
Setting time(Find find) {
  return {[=](Config& config, const Json& value) {
            find(config) = std::chrono::milliseconds(whole(value, 10, 3'600'000));
          },
          [=](const Config& config) -> Json { return find(config).count(); }};
}

Setting key_trace() {
  return {[](Config& config, const Json& value) {
            if (!value.is_boolean()) throw std::invalid_argument("must be true or false");
            config.keys.trace = value.get<bool>();
          },
          [](const Config& config) -> Json { return config.keys.trace; }};
}

Setting ring_pages() {
  return {[](Config& config, const Json& value) {
            const auto pages = static_cast<std::uint32_t>(whole(value, 1, 1 << 20));
            if (!std::has_single_bit(pages)) throw std::invalid_argument("must be a power of two");
            config.limits.max_ring_pages = pages;
          },
          [](const Config& config) -> Json { return config.limits.max_ring_pages; }};
}

Setting look_share() {
  return {[](Config& config, const Json& value) {
            const double share = value.is_number() ? value.get<double>() : 0;
            if (!(share > 0 && share <= 1)) {
              throw std::invalid_argument("must be a number over 0 and up to 1");
            }
            config.mounts.look_share = share;
          },
          [](const Config& config) -> Json { return config.mounts.look_share; }};
}

using Settings = std::map<std::string, Setting>;

/// `NAME` and `NAME_per_user`, of a limit that `find` finds in the configuration.
template <typename Find>
void add_limit(Settings& settings, const std::string& name, Find find) {
  settings.emplace(name, number([=](auto& config) -> auto& { return find(config).in_all; }));
  settings.emplace(name + "_per_user",
                   number([=](auto& config) -> auto& { return find(config).per_user; }));
}

Settings make_settings() {
  Settings settings = {
      {"max_ring_pages", ring_pages()},
      {"max_waiting_calls_per_user",
       number([](auto& config) -> auto& { return config.limits.calls.max_waiting_per_user; })},
      {"stream_buffer_bytes",
       number(
           [](auto& config) -> auto& { return config.streams.buffer_bytes; }, 4096)},
      {"look_share", look_share()},
      {"key_trace", key_trace()},
      {"look_interval_ms", time([](auto& config) -> auto& { return config.mounts.look_interval; })},
      {"key_interval_ms", time([](auto& config) -> auto& { return config.keys.interval; })},
      {"space_interval_ms", time([](auto& config) -> auto& { return config.space.interval; })},
      {"space_patience_ms", time([](auto& config) -> auto& { return config.space.patience; })},
      {"network_interval_ms", time([](auto& config) -> auto& { return config.network.interval; })},
      {"network_limit_ms", time([](auto& config) -> auto& { return config.network.limit; })},
  };
  add_limit(
      settings, "max_queues", [](auto& config) -> auto& { return config.limits.queues; });
  add_limit(
      settings, "max_pages", [](auto& config) -> auto& { return config.limits.pages; });
  add_limit(
      settings, "max_watches", [](auto& config) -> auto& { return config.limits.watches; });
  add_limit(
      settings, "max_probes", [](auto& config) -> auto& { return config.limits.probes; });
  add_limit(
      settings, "max_texts", [](auto& config) -> auto& { return config.limits.texts; });
  add_limit(
      settings, "max_streams", [](auto& config) -> auto& { return config.streams.streams; });
  add_limit(
      settings, "max_calls", [](auto& config) -> auto& { return config.limits.calls.calls; });
  return settings;
}

const Settings& settings() {
  static const Settings kSettings = make_settings();
  return kSettings;
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
  } catch (const Json::out_of_range& error) {
    refuse(path, error.what());  // a number beyond all that there are, which the text names
  }
}

}  // namespace

Config read_config(const std::string& path) {
  const std::string text = read_text(path);
  const Json json = parse(path, text);
  if (!json.is_object()) refuse(path, "the configuration must be one JSON object");
  Config config;
  config.path = path;
  for (const auto& [key, value] : json.items()) {
    const std::string place =
        path + ":" + std::to_string(line_at(text, text.find(Json(key).dump())));
    const auto setting = settings().find(key);
    if (setting == settings().end()) {
      std::string what = "unknown key \"" + key + "\"; known are:";
      for (const auto& [name, known] : settings()) what += " " + name;
      refuse(place, what);
    }
    try {
      setting->second.set(config, value);
    } catch (const std::invalid_argument& error) {
      refuse(place, "\"" + key + "\" " + error.what());
    }
  }
  return config;
}

std::vector<std::string> update_config(Config& config, const Config& fresh) {
  std::vector<std::string> changes;
  for (const auto& [key, setting] : settings()) {
    const Json before = setting.get(config);
    const Json now = setting.get(fresh);
    if (before == now) continue;
    setting.set(config, now);
    changes.push_back(key + ": " + before.dump() + " -> " + now.dump());
  }
  return changes;
}

}  // namespace watchq
