// SPDX-License-Identifier: MIT
#include "tool/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tool/daemon_files.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

std::string scalar(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null() || value.empty()) return "none";
  return value.dump();
}

bool is_one_line(const Json& value) { return !value.is_structured() || value.empty(); }

void append(std::string& text, const Json& value, const std::string& indent);

/// A named value: "name: value", or the name and the value's lines below it.
void append_member(std::string& text, std::string name, const Json& value,
                   const std::string& indent) {
  std::replace(name.begin(), name.end(), '_', ' ');
  text += indent + name + ':';
  if (is_one_line(value)) {
    text += ' ' + scalar(value) + '\n';
  } else {
    text += '\n';
    append(text, value, indent + "  ");
  }
}

/// An element of an array: a dash before its first line.
void append_element(std::string& text, const Json& value, const std::string& indent) {
  if (is_one_line(value)) {
    text += indent + "- " + scalar(value) + '\n';
    return;
  }
  const std::size_t start = text.size();
  append(text, value, indent + "  ");
  text[start + indent.size()] = '-';
}

void append(std::string& text, const Json& value, const std::string& indent) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) append_member(text, name, member, indent);
  } else if (value.is_array()) {
    for (const auto& element : value) append_element(text, element, indent);
  } else {
    text += indent + scalar(value) + '\n';
  }
}

}  // namespace

std::string outline(const Json& document) {
  std::string text;
  append(text, document, "");
  return text;
}

void print_status(const StatusOptions& options, Output& output) {
  if (options.json) {
    output.write(read_daemon_file(options.directory, "status"));
  } else {
    output.write(outline(read_daemon_json(options.directory, "status")));
  }
}

}  // namespace watchq
