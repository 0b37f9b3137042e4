#include "worker/loop/task_plan.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/map.h"
#include "worker/slot/limits.h"

namespace vigil::worker {
namespace {

// Everything Vigil sets in a task's environment starts with it; jobs cannot.
constexpr absl::string_view kOwnPrefix = "VIGIL_";

std::vector<std::string> EnvironmentOf(
    const google::protobuf::Map<std::string, std::string>& given,
    const v1::AttemptId& attempt, const TaskPlanOptions& options) {
  std::map<std::string, std::string> env = {
      {"PATH", slot::kDefaultPath},
      // Python writes to a pipe in blocks of 8 KiB, which looks like silence.
      {"PYTHONUNBUFFERED", "1"},
  };
  for (const auto& [name, value] : given) {
    if (!absl::StartsWith(name, kOwnPrefix)) env[name] = value;
  }
  env["VIGIL_JOB_ID"] = attempt.job_id();
  env["VIGIL_ATTEMPT"] = absl::StrCat(attempt.number());
  env["VIGIL_FENCE"] = absl::StrCat(attempt.number());
  // By it a successor finds what this worker left behind.
  env["VIGIL_WORKER_ID"] = options.worker_id;
  std::vector<std::string> lines;
  lines.reserve(env.size());
  for (const auto& [name, value] : env) {
    lines.push_back(absl::StrCat(name, "=", value));
  }
  return lines;
}

}  // namespace

absl::StatusOr<slot::TaskCommand> PlanTask(const v1::Assignment& assignment,
                                           const v1::TaskType* type,
                                           const TaskPlanOptions& options) {
  const v1::JobSpec& spec = assignment.spec();
  const v1::AttemptId& attempt = assignment.attempt();
  slot::TaskCommand command;
  command.working_directory = options.default_directory;
  command.pty = spec.pty();
  if (spec.has_command()) {
    if (!options.allow_commands) {
      return absl::PermissionDeniedError(
          "command: this worker runs no commands (--allow_commands)");
    }
    const v1::Command& given = spec.command();
    command.argv.assign(given.argv().begin(), given.argv().end());
    command.env = EnvironmentOf(given.env(), attempt, options);
    if (!given.working_directory().empty()) {
      command.working_directory = given.working_directory();
    }
  } else {
    if (type == nullptr) {
      return absl::NotFoundError(absl::StrCat("task_type: \"", spec.task_type(),
                                              "\" is not in this worker's "
                                              "catalog"));
    }
    if (spec.arguments_size() > 0 && !type->allow_arguments()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "arguments: task type \"", type->name(), "\" allows none"));
    }
    command.argv.assign(type->argv().begin(), type->argv().end());
    command.env = EnvironmentOf(type->env(), attempt, options);
    command.pty = command.pty || type->pty();
    if (!type->working_directory().empty()) {
      command.working_directory = type->working_directory();
    }
  }
  command.argv.insert(command.argv.end(), spec.arguments().begin(),
                      spec.arguments().end());
  if (command.argv.empty() || command.argv[0].empty()) {
    return absl::InvalidArgumentError("command.argv: names no program");
  }
  return command;
}

}  // namespace vigil::worker
