// SPDX-License-Identifier: MIT
#include "tool/load.h"

#include <pwd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tool/daemon_files.h"
#include "tool/failure.h"
#include "tool/option_values.h"
#include "tool/render.h"
#include "tool/table.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t counter(const Json& status, const char* name) {
  const Json counters = status.value("counters", Json::object());
  return counters.value(name, std::uint64_t{0});
}

/// How much more for each second, in words; nothing before the second look.
std::string rate(std::uint64_t now, std::uint64_t before, double seconds) {
  if (seconds <= 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f",
                static_cast<double>(now - std::min(now, before)) / seconds);
  return text;
}

double seconds_since(const Load& now, const Load* before) {
  if (before == nullptr) return 0;
  return std::chrono::duration<double>(now.time - before->time).count();
}

const QueueLoad* find(const Load* load, std::uint64_t id) {
  if (load == nullptr) return nullptr;
  for (const QueueLoad& queue : load->each) {
    if (queue.id == id) return &queue;
  }
  return nullptr;
}

std::string name_of_user(const std::string& uid) {
  const auto id = number<uid_t>(uid);
  const passwd* user = id ? ::getpwuid(*id) : nullptr;
  return user != nullptr ? user->pw_name : uid;
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : "; ") + text;
  return list.empty() ? "none" : list;
}

/// What others have named cannot steer the terminal.
std::string escape_but_blanks(const std::string& text) {
  std::string escaped;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    escaped += (begin == 0 ? "" : " ") + escape(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return escaped;
}

std::string queues_as_text(const Load& now, const Load* before, double seconds) {
  if (!now.shows_queues) return "this daemon does not tell of single queues\n";
  Table table({"QUEUE", "OWNER", "KIB", "WAITING", "RECORDS", "EACH SECOND", "LOST", "WATCHES"});
  for (const QueueLoad& queue : now.each) {
    const QueueLoad* old = find(before, queue.id);
    const std::string records = queue.posted && old != nullptr && old->posted
                                    ? rate(*queue.posted, *old->posted, seconds)
                                    : "-";
    table.add({std::to_string(queue.id), name_of_user(queue.owner),
               std::to_string(queue.ring_bytes / 1024), std::to_string(queue.waiting),
               queue.posted ? std::to_string(*queue.posted) : "-", records,
               std::to_string(queue.lost), escape_but_blanks(list_of(queue.watches))});
  }
  return table.text();
}

/// As much of the text as a terminal shows.
std::string cut(const std::string& text, std::size_t columns, std::size_t rows) {
  if (columns == 0 || rows == 0) return text;
  std::string shown;
  for (std::size_t begin = 0; begin < text.size() && rows > 0; --rows) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    while (columns_of(line) > columns) line.pop_back();
    shown += line + '\n';
    begin = end + 1;
  }
  return shown;
}

}  // namespace

Load read_load(const std::string& directory) {
  const Json status = read_daemon_json(directory, "status");
  Load load;
  load.time = std::chrono::steady_clock::now();
  load.version = status.value("version", "");
  load.mount_point = status.value("mount_point", "");
  load.transport = status.value("transport", "");
  load.queues = counter(status, "queues");
  load.watches = counter(status, "watches");
  load.posted = counter(status, "records_posted");
  load.lost = counter(status, "records_lost");
  std::vector<std::string> names;
  try {
    names = list_daemon_directory(directory, "queues");
    load.shows_queues = true;
  } catch (const Failure&) {
    // An older daemon has none.
  }
  for (const std::string& name : names) {
    const auto id = number<std::uint64_t>(name);
    const auto text = try_daemon_file(directory, "queues/" + name);
    if (id && text) load.each.push_back(parse_queue(*id, *text));
  }
  return load;
}

std::string screen_of(const Load& now, const Load* before, std::size_t columns, std::size_t rows) {
  const double seconds = seconds_since(now, before);
  const std::uint64_t posted = before != nullptr ? before->posted : 0;
  const std::uint64_t lost = before != nullptr ? before->lost : 0;
  Table totals({"", "NOW", "EACH SECOND"});
  totals.add({"queues", std::to_string(now.queues), ""});
  totals.add({"watches", std::to_string(now.watches), ""});
  totals.add({"records", std::to_string(now.posted), rate(now.posted, posted, seconds)});
  totals.add({"lost", std::to_string(now.lost), rate(now.lost, lost, seconds)});
  const std::string text = "watchqd " + now.version + " on " + now.mount_point + ", " +
                           now.transport + '\n' + totals.text() + '\n' +
                           queues_as_text(now, before, seconds);
  return cut(text, columns, rows);
}

Json json_of(const Load& now, const Load* before) {
  const double seconds = seconds_since(now, before);
  Json object = {{"version", now.version},     {"mount_point", now.mount_point},
                 {"transport", now.transport}, {"queues", now.queues},
                 {"watches", now.watches},     {"records_posted", now.posted},
                 {"records_lost", now.lost}};
  if (before != nullptr && seconds > 0) {
    object["seconds"] = seconds;
    object["records_posted_before"] = before->posted;
    object["records_lost_before"] = before->lost;
  }
  if (!now.shows_queues) return object;
  object["each"] = Json::array();
  for (const QueueLoad& queue : now.each) {
    Json entry = {
        {"id", queue.id},           {"owner", queue.owner},     {"ring_bytes", queue.ring_bytes},
        {"waiting", queue.waiting}, {"watches", queue.watches}, {"lost", queue.lost}};
    if (queue.posted) entry["posted"] = *queue.posted;
    object["each"].push_back(std::move(entry));
  }
  return object;
}

QueueLoad parse_queue(std::uint64_t id, const std::string& text) {
  QueueLoad queue;
  queue.id = id;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(colon + 2);
    const std::string word = value.substr(0, value.find(' '));
    if (name == "owner") queue.owner = word;
    if (name == "posted") queue.posted = number<std::uint64_t>(word);
    if (name == "lost") queue.lost = number<std::uint64_t>(word).value_or(0);
    if (name == "ring") queue.ring_bytes = number<std::uint64_t>(word).value_or(0);
    if (name == "watch") queue.watches.push_back(value);
    if (name == "waiting") ++queue.waiting;
  }
  return queue;
}

}  // namespace watchq
