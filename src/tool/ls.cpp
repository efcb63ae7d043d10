// SPDX-License-Identifier: MIT
#include "tool/ls.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "tool/daemon_files.h"
#include "tool/failure.h"
#include "tool/mount_tree.h"
#include "tool/path_state.h"
#include "tool/render.h"
#include "tool/table.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

/// A document of mounts/ beside its row in the tree.
struct Listed {
  MountTree::Row row;
  Json document;
};

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string words_in(const Json& object, const char* name) {
  std::string words;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return words;
  for (const Json& word : *found) {
    const std::string text = word.is_string() ? word.get<std::string>() : word.dump();
    words += (words.empty() ? "" : ",") + text;
  }
  return words;
}

/// The ID of the superblock of each mount, where the daemon tells.
std::map<std::uint32_t, std::uint64_t> superblocks_by_mount(const std::string& directory) {
  std::map<std::uint32_t, std::uint64_t> ids;
  for (const Json& superblock : read_daemon_directory(directory, "superblocks")) {
    for (const Json& mount : superblock.value("mounts", Json::array())) {
      ids[mount.get<std::uint32_t>()] = superblock.value("id", std::uint64_t{0});
    }
  }
  return ids;
}

std::vector<Listed> listed_mounts(const LsOptions& options) {
  std::map<std::uint32_t, Json> documents;
  std::vector<TreeMount> mounts;
  for (Json& document : read_daemon_directory(options.directory, "mounts")) {
    const auto id = document.value("id", std::uint32_t{0});
    mounts.push_back({id, document.value("parent", std::uint32_t{0}),
                      document.value("mount_point", std::string())});
    documents[id] = std::move(document);
  }
  const auto superblocks = superblocks_by_mount(options.directory);
  const std::string top = options.path ? canonical_path(*options.path) : "/";
  const MountTree tree(mounts);
  std::vector<Listed> listed;
  for (const MountTree::Row& row : tree.rows()) {
    Json& document = documents.at(row.id);
    if (!is_at_or_below(document.value("mount_point", std::string()), top)) continue;
    document["hidden"] = row.is_hidden;
    const auto superblock = superblocks.find(row.id);
    if (superblock != superblocks.end()) document["superblock"]["id"] = superblock->second;
    listed.push_back({row, std::move(document)});
  }
  return listed;
}

/// The lines before a path in the tree.
std::string branches(const MountTree::Row& row, unsigned int top_depth) {
  std::string text;
  for (std::size_t depth = top_depth; depth < row.is_last_above.size(); ++depth) {
    const bool is_own = depth + 1 == row.is_last_above.size();
    if (is_own) {
      text += row.is_last_above[depth] ? "`-" : "|-";
    } else {
      text += row.is_last_above[depth] ? "  " : "| ";
    }
  }
  return text;
}

std::string mounts_as_text(const std::vector<Listed>& listed) {
  unsigned int top_depth = ~0u;
  for (const Listed& mount : listed) top_depth = std::min(top_depth, mount.row.depth);
  Table table({"ID", "MOUNT POINT", "TYPE", "SOURCE", "ATTRIBUTES", "SUPERBLOCK"});
  for (const Listed& mount : listed) {
    const Json& document = mount.document;
    const Json superblock = document.value("superblock", Json::object());
    const std::string attributes = words_in(document, "attributes");
    std::string place = branches(mount.row, top_depth) + escape(text_in(document, "mount_point"));
    if (mount.row.is_hidden) place += " [hidden]";
    table.add({std::to_string(mount.row.id), place, escape(text_in(superblock, "type")),
               escape(text_in(superblock, "source")), attributes.empty() ? "rw" : attributes,
               superblock.contains("id") ? superblock["id"].dump() : "-"});
  }
  return table.text();
}

std::string superblocks_as_text(const std::vector<Json>& superblocks) {
  Table table({"ID", "DEVICE", "TYPE", "SOURCE", "STATE", "MOUNTS", "OPTIONS"});
  for (const Json& superblock : superblocks) {
    const char* state = "?";
    if (superblock.contains("read_only")) {
      state = superblock["read_only"].get<bool>() ? "ro" : "rw";
    }
    table.add({superblock.value("id", Json()).dump(), text_in(superblock, "device"),
               escape(text_in(superblock, "type")), escape(text_in(superblock, "source")), state,
               words_in(superblock, "mounts"), escape(text_in(superblock, "options"))});
  }
  return table.text();
}

std::string as_json(const std::vector<Json>& documents) {
  return Json(documents).dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Those that have a mount at or below the path that was named.
std::vector<Json> listed_superblocks(const LsOptions& options) {
  std::vector<Json> superblocks = read_daemon_directory(options.directory, "superblocks");
  if (!options.path) return superblocks;
  std::vector<std::uint32_t> mounts;
  const std::vector<Listed> listed = listed_mounts(options);
  mounts.reserve(listed.size());
  for (const Listed& mount : listed) mounts.push_back(mount.row.id);
  std::erase_if(superblocks, [&](const Json& superblock) {
    const Json on = superblock.value("mounts", Json::array());
    return std::none_of(on.begin(), on.end(), [&](const Json& mount) {
      return std::find(mounts.begin(), mounts.end(), mount.get<std::uint32_t>()) != mounts.end();
    });
  });
  return superblocks;
}

}  // namespace

void list(const LsOptions& options, Output& output) {
  if (options.superblocks) {
    const std::vector<Json> superblocks = listed_superblocks(options);
    output.write(options.json ? as_json(superblocks) : superblocks_as_text(superblocks));
    return;
  }
  const std::vector<Listed> mounts = listed_mounts(options);
  if (!options.json) {
    output.write(mounts_as_text(mounts));
    return;
  }
  std::vector<Json> documents;
  documents.reserve(mounts.size());
  for (const Listed& mount : mounts) documents.push_back(mount.document);
  output.write(as_json(documents));
}

}  // namespace watchq
