// SPDX-License-Identifier: MIT
// What the daemon's own account tells to a doctor.
#include <system_error>

#include "tool/diagnosis.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;
using Weight = Finding::Weight;

const Json* find(const Json& document, std::initializer_list<const char*> path) {
  const Json* at = &document;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name)) return nullptr;
    at = &(*at)[name];
  }
  return at;
}

std::string text_in(const Json& document, std::initializer_list<const char*> path) {
  const Json* found = find(document, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_in(const Json& document, std::initializer_list<const char*> path) {
  const Json* found = find(document, path);
  return found != nullptr && found->is_number_integer() ? found->get<std::uint64_t>() : 0;
}

std::string restart_command(const Surroundings& here) {
  if (here.has_unit && here.directory == "/watchq") return "systemctl restart watchqd";
  return "umount " + here.directory + " && " + start_command(here);
}

void add_version(const Surroundings& here, std::vector<Finding>& findings) {
  const std::string version = text_in(*here.status, {"version"});
  if (version == here.version) return;
  findings.push_back({Weight::problem, "version",
                      "the daemon is version " + version + ", this command " + here.version,
                      "one may not know what the other says", restart_command(here)});
}

void add_backends(const Surroundings& here, std::vector<Finding>& findings) {
  const std::string newer = "# a newer kernel than " + here.kernel + ", or more rights for watchqd";
  const std::string transport = text_in(*here.status, {"transport_why_no_better"});
  if (!transport.empty()) {
    findings.push_back(
        {Weight::note, "transport", "rings are shared through the page cache: " + transport,
         "a record takes some ten microseconds longer, and write(2) cannot inject", newer});
  }
  const Json* sources = find(*here.status, {"sources"});
  if (sources == nullptr || !sources->is_object()) return;
  for (const auto& [name, source] : sources->items()) {
    const std::string why = text_in(source, {"why_no_better"});
    if (why.empty()) continue;
    std::string what = name;
    what += " are seen by '" + text_in(source, {"backend"}) + "': " + why;
    findings.push_back(
        {Weight::note, "source-" + name, what, "changes between two looks are told as one", newer});
  }
}

void add_losses(const Surroundings& here, std::vector<Finding>& findings) {
  const Json& status = *here.status;
  const std::uint64_t lost = number_in(status, {"counters", "records_lost"});
  if (lost != 0) {
    findings.push_back({Weight::note, "records-lost",
                        std::to_string(lost) + " records did not fit into their rings",
                        "a client is slower than what happens, or its ring too small",
                        "watchq top --once"});
  }
  const std::uint64_t overflows = number_in(status, {"counters", "mount_overflows"});
  if (overflows != 0) {
    findings.push_back(
        {Weight::note, "mount-overflows",
         "the kernel has dropped mount events " + std::to_string(overflows) + " times",
         "what was missed is looked up, but a mount that came and went is not seen",
         "sysctl -w fs.fanotify.max_queued_events=65536"});
  }
}

void add_limits(const Surroundings& here, std::vector<Finding>& findings) {
  for (const char* name : {"queues", "pages"}) {
    const std::uint64_t refusals = number_in(*here.status, {"limits", name, "refusals"});
    if (refusals == 0) continue;
    const std::string setting = std::string("max_").append(name);
    const std::string what = std::to_string(refusals).append(" times: the limit of ").append(name);
    findings.push_back({Weight::problem, std::string("limit-").append(name),
                        "clients were refused " + what + " was reached", "they are told nothing",
                        std::string("# raise ")
                            .append(setting)
                            .append("_per_user or ")
                            .append(setting)
                            .append(" in /etc/watchqd.conf, then: ")
                            .append(restart_command(here))});
  }
}

}  // namespace

std::vector<Finding> diagnose_daemon(const Surroundings& here) {
  std::vector<Finding> findings;
  if (here.queue_error != 0) {
    findings.push_back(
        {Weight::problem, "queue",
         "a queue cannot be opened: " + std::system_category().message(here.queue_error),
         "neither can other programs of this user",
         "ls -l " + here.directory + "/queue; watchq status"});
  }
  add_version(here, findings);
  add_backends(here, findings);
  add_losses(here, findings);
  add_limits(here, findings);
  return findings;
}

}  // namespace watchq
