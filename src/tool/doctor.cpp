// SPDX-License-Identifier: MIT
#include "tool/doctor.h"

#include <algorithm>

#include "tool/diagnosis.h"
#include "tool/failure.h"
#include "tool/paint.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Finding::Weight weight) {
  return weight == Finding::Weight::problem ? "problem" : "note";
}

std::string as_json(const std::vector<Finding>& findings, std::size_t problems) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"name", finding.name},
                    {"weight", name_of(finding.weight)},
                    {"what", finding.what},
                    {"why", finding.why},
                    {"command", finding.command}});
  }
  const Json document = {{"healthy", problems == 0}, {"findings", list}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string as_text(const std::vector<Finding>& findings, std::size_t problems,
                    const std::string& directory, const Paint& paint) {
  std::string text;
  for (const Finding& finding : findings) {
    const bool is_problem = finding.weight == Finding::Weight::problem;
    text += paint(is_problem ? Colour::bad : Colour::notable, name_of(finding.weight)) + ' ' +
            paint(Colour::bold, finding.name) + ": " + finding.what + "\n    " + finding.why +
            "\n    " + paint(Colour::good, finding.command) + '\n';
  }
  if (problems == 0) {
    text += "watchq works: the daemon serves " + directory;
    if (!findings.empty()) text += "; the notes tell what could be better";
    text += '\n';
  }
  return text;
}

}  // namespace

void doctor(const DoctorOptions& options, Output& output) {
  const std::vector<Finding> findings = diagnose(look_around(options.directory));
  const auto problems = static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(),
      [](const Finding& finding) { return finding.weight == Finding::Weight::problem; }));
  if (options.json) {
    output.write(as_json(findings, problems));
  } else {
    output.write(as_text(findings, problems, options.directory,
                         Paint::of(ColourMode::automatic, output.fd())));
  }
  if (problems != 0) {
    throw Failure(
        ExitStatus::failed,
        std::to_string(problems) + (problems == 1 ? " problem was" : " problems were") + " found");
  }
}

}  // namespace watchq
