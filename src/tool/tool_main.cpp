// SPDX-License-Identifier: MIT
#include "tool/tool_main.h"

#include <system_error>
#include <variant>

#include "tool/doctor.h"
#include "tool/inject.h"
#include "tool/ls.h"
#include "tool/monitor.h"
#include "tool/options.h"
#include "tool/status.h"
#include "tool/top.h"

namespace watchq {
namespace {

struct Runner {
  Output& output;
  Output& error;

  void operator()(const MonitorOptions& options) const { monitor(options, output, error); }
  void operator()(const StatusOptions& options) const { print_status(options, output); }
  void operator()(const LsOptions& options) const { list(options, output); }
  void operator()(const TopOptions& options) const { top(options, output); }
  void operator()(const DoctorOptions& options) const { doctor(options, output); }
  void operator()(const InjectOptions& options) const { inject(options, output); }
  void operator()(const Information& information) const { output.write(information.text); }
};

/// Nothing can be done when not even this can be written.
void complain(Output& error, const std::string& text) noexcept {
  try {
    error.write("watchq: " + text + '\n');
  } catch (const std::exception&) {
  }
}

}  // namespace

ExitStatus tool_main(const std::vector<std::string>& arguments, Output output, Output error) {
  try {
    std::visit(Runner{output, error}, parse_options(arguments));
    return ExitStatus::done;
  } catch (const Failure& failure) {
    complain(error, failure.what());
    return failure.status();
  } catch (const std::system_error& failure) {
    // Who reads the output has seen enough.
    if (failure.code() == std::errc::broken_pipe) return ExitStatus::done;
    complain(error, failure.what());
    return ExitStatus::failed;
  } catch (const std::exception& failure) {
    complain(error, failure.what());
    return ExitStatus::failed;
  }
}

}  // namespace watchq
