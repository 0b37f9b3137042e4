#include "worker/loop/task_plan.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/map.h"
#include "worker/slot/limits.h"

namespace vigil::worker {
namespace {

// Everything Vigil sets in a task's environment starts with it; jobs cannot.
constexpr absl::string_view kOwnPrefix = "VIGIL_";

bool IsWarm(const v1::TaskType* type) {
  return type != nullptr && type->frames() != v1::TaskType::FRAMES_UNSPECIFIED;
}

std::vector<std::string> EnvironmentOf(
    const google::protobuf::Map<std::string, std::string>& given,
    const v1::AttemptId& attempt, const v1::TaskType* type,
    const TaskPlanOptions& options) {
  std::map<std::string, std::string> env = {
      {"PATH", slot::kDefaultPath},
      // Python writes to a pipe in blocks of 8 KiB, which looks like silence.
      {"PYTHONUNBUFFERED", "1"},
  };
  const std::string slot = absl::StrCat(options.slot);
  for (const auto& [name, value] : given) {
    if (absl::StartsWith(name, kOwnPrefix)) continue;
    env[name] = type == nullptr
                    ? value
                    : absl::StrReplaceAll(value, {{"${SLOT}", slot}});
  }
  const bool warm_up = options.purpose == SpawnPurpose::kWarmUp;
  const bool frames = IsWarm(type) && !warm_up;
  if (frames) {
    env["VIGIL_FD"] = absl::StrCat(slot::kChannelFd);
    env["VIGIL_FRAMES"] =
        type->frames() == v1::TaskType::FRAMES_PROTOBUF ? "protobuf" : "json";
  } else {
    env["VIGIL_JOB_ID"] = attempt.job_id();
    env["VIGIL_ATTEMPT"] = absl::StrCat(attempt.number());
    env["VIGIL_FENCE"] = absl::StrCat(attempt.number());
  }
  if (warm_up) env["VIGIL_WARM_UP"] = "1";
  if (!options.cache_path.empty()) env["VIGIL_CACHE_DIR"] = options.cache_path;
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
    command.env = EnvironmentOf(given.env(), attempt, nullptr, options);
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
    const bool own_argv =
        options.purpose == SpawnPurpose::kRun || type->warm_up().argv().empty();
    const auto& argv = own_argv ? type->argv() : type->warm_up().argv();
    command.argv.assign(argv.begin(), argv.end());
    command.env = EnvironmentOf(type->env(), attempt, type, options);
    command.pty =
        (command.pty || type->pty()) && options.purpose == SpawnPurpose::kRun;
    if (!type->working_directory().empty()) {
      command.working_directory = type->working_directory();
    }
  }
  if (options.purpose == SpawnPurpose::kRun) {
    command.argv.insert(command.argv.end(), spec.arguments().begin(),
                        spec.arguments().end());
  }
  if (command.argv.empty() || command.argv[0].empty()) {
    return absl::InvalidArgumentError("command.argv: names no program");
  }
  return command;
}

}  // namespace vigil::worker
