// SPDX-License-Identifier: MIT
#include "tool/daemon_files.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "tool/failure.h"
#include "tool/read_file.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

Json parse(const std::string& directory, const std::string& file, const std::string& text) {
  Json document = Json::parse(text, nullptr, false);
  if (!document.is_discarded()) return document;
  std::string wrong = directory;
  wrong += '/' + file + " holds no JSON document; is " + directory + " where watchqd is mounted?";
  throw Failure(ExitStatus::failed, wrong);
}

}  // namespace

std::string read_daemon_file(const std::string& directory, const std::string& file) {
  try {
    return read_file(directory + '/' + file);
  } catch (const std::system_error& error) {
    throw cannot_open(directory, file, error.code().value());
  }
}

std::optional<std::string> try_daemon_file(const std::string& directory, const std::string& file) {
  try {
    return read_file(directory + '/' + file);
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

Json read_daemon_json(const std::string& directory, const std::string& file) {
  return parse(directory, file, read_daemon_file(directory, file));
}

std::vector<std::string> list_daemon_directory(const std::string& directory,
                                               const std::string& name) {
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::path all = std::filesystem::path(directory) / name;
  for (std::filesystem::directory_iterator entry(all, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string file = entry->path().filename();
    if (std::all_of(file.begin(), file.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      names.push_back(std::move(file));
    }
  }
  if (error) throw cannot_open(directory, name, error.value());
  std::sort(names.begin(), names.end(), [](const std::string& one, const std::string& other) {
    return one.size() != other.size() ? one.size() < other.size() : one < other;
  });
  return names;
}

std::vector<Json> read_daemon_directory(const std::string& directory, const std::string& name) {
  std::vector<Json> documents;
  for (const std::string& file : list_daemon_directory(directory, name)) {
    std::string path = name;
    path += '/' + file;
    if (const auto text = try_daemon_file(directory, path)) {
      documents.push_back(parse(directory, path, *text));
    }
  }
  return documents;
}

}  // namespace watchq
