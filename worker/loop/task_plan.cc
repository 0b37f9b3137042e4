#include "worker/loop/task_plan.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "base/task_token.h"
#include "google/protobuf/map.h"
#include "worker/slot/limits.h"

namespace vigil::worker {
namespace {

// Everything Vigil sets in a task's environment starts with it; jobs cannot.
constexpr absl::string_view kOwnPrefix = "VIGIL_";

// By these libraries are told how many threads to start, and loky how many
// processes: each would start one for each processor, in each slot.
constexpr const char* kThreadVariables[] = {
    "OMP_NUM_THREADS",    "OPENBLAS_NUM_THREADS",   "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",   "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",  "RAYON_NUM_THREADS",      "GOMAXPROCS",
    "LOKY_MAX_CPU_COUNT",
};

using Environment = std::map<std::string, std::string>;

bool IsWarm(const v1::TaskType* type) {
  return type != nullptr && type->frames() != v1::TaskType::FRAMES_UNSPECIFIED;
}

// What keeps a Python program, and what it starts, to the policy.
void AddPolicy(const v1::Assignment& assignment, const v1::TaskType* type,
               const TaskPlanOptions& options, Environment* env) {
  const bool sequential = options.on_nested_pool == OnNestedPool::kSequential;
  int stack_dump_signal = assignment.spec().stack_dump_signal();
  if (stack_dump_signal == 0 && type != nullptr) {
    stack_dump_signal = type->stack_dump_signal();
  }
  if (!sequential && stack_dump_signal == 0) return;
  if (!options.python_dir.empty()) {
    std::string& path = (*env)["PYTHONPATH"];
    // An empty entry would be the working directory.
    path = path.empty() ? options.python_dir
                        : absl::StrCat(options.python_dir, ":", path);
  }
  if (stack_dump_signal != 0) {
    (*env)["VIGIL_STACK_DUMP_SIGNAL"] = absl::StrCat(stack_dump_signal);
  }
  if (!sequential) return;
  (*env)["VIGIL_SEQUENTIAL"] = "1";
  (*env)["JOBLIB_MULTIPROCESSING"] = "0";
  (*env)["LOKY_MAX_CPU_COUNT"] = "1";
  if (!options.report_path.empty()) {
    (*env)["VIGIL_REPORT"] = options.report_path;
  }
}

std::vector<std::string> EnvironmentOf(
    const google::protobuf::Map<std::string, std::string>& given,
    const v1::Assignment& assignment, const v1::TaskType* type,
    const TaskPlanOptions& options) {
  const v1::AttemptId& attempt = assignment.attempt();
  Environment env = {
      {"PATH", slot::kDefaultPath},
      // Python writes to a pipe in blocks of 8 KiB, which looks like silence.
      {"PYTHONUNBUFFERED", "1"},
  };
  for (const char* name : kThreadVariables) {
    env[name] = absl::StrCat(options.processors);
  }
  const std::string slot = absl::StrCat(options.slot);
  for (const auto& [name, value] : given) {
    if (absl::StartsWith(name, kOwnPrefix)) continue;
    env[name] = type == nullptr
                    ? value
                    : absl::StrReplaceAll(value, {{"${SLOT}", slot}});
  }
  AddPolicy(assignment, type, options, &env);
  const bool warm_up = options.purpose == SpawnPurpose::kWarmUp;
  const bool frames = IsWarm(type) && !warm_up;
  if (frames) {
    env["VIGIL_FD"] = absl::StrCat(slot::kChannelFd);
    env["VIGIL_FRAMES"] =
        type->frames() == v1::TaskType::FRAMES_PROTOBUF ? "protobuf" : "json";
    env[kTaskTokenVariable] = FormatTaskToken(
        WarmSlot{type->name(), WorkerId(options.worker_id), options.slot});
  } else {
    env["VIGIL_JOB_ID"] = attempt.job_id();
    env["VIGIL_ATTEMPT"] = absl::StrCat(attempt.number());
    env["VIGIL_FENCE"] = absl::StrCat(attempt.number());
    env[kTaskTokenVariable] =
        FormatTaskToken(AttemptId{JobId(attempt.job_id()), attempt.number()});
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
    command.env = EnvironmentOf(given.env(), assignment, nullptr, options);
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
    command.env = EnvironmentOf(type->env(), assignment, type, options);
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
