// TaskToken: what names a task to everybody who may have been started by it.
// Each task finds it in its environment; clients send it along with their
// calls; and so a task that submits a job, or starts a part of Vigil, is told
// why it cannot. It prevents accidents: a task can remove it. Pure functions,
// thread-safe.
#ifndef VIGIL_BASE_TASK_TOKEN_H_
#define VIGIL_BASE_TASK_TOKEN_H_

#include <optional>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "base/ids.h"

namespace vigil {

// The variable of a task's environment, and the key of the gRPC metadata, that
// hold the token. An empty value is none.
inline constexpr char kTaskTokenVariable[] = "VIGIL_TASK";
inline constexpr char kTaskTokenMetadataKey[] = "vigil-task";

// What is sent of a variable, in bytes: three times the longest token, so that
// what somebody made of it is still seen.
inline constexpr size_t kTaskTokenBytesMax = 512;

// The slot that a warm task holds. It outlives jobs, so it is named by none.
struct WarmSlot {
  std::string task_type;
  WorkerId worker;
  int slot = 0;

  friend bool operator==(const WarmSlot&, const WarmSlot&) = default;
};

// The attempt that a command or a warm-up belongs to, or a warm task's slot.
using TaskToken = std::variant<AttemptId, WarmSlot>;

// Returns printable ASCII: `job=<job id>;attempt=<n>`, or
// `type=<task type>;worker=<worker id>;slot=<n>`.
std::string FormatTaskToken(const TaskToken& token);

// The opposite. Absent: damaged, which is somebody's task all the same.
std::optional<TaskToken> ParseTaskToken(absl::string_view text);

// Returns what can be sent as gRPC metadata: `text` with `?` for what is not
// printable ASCII, at most kTaskTokenBytesMax of it.
std::string CleanTaskToken(absl::string_view text);

// Names the task that `text` names, for people: `job X (attempt N)`.
std::string DescribeTask(absl::string_view text);

// Why the task that `text` names cannot submit jobs, in one line.
std::string NestedDispatchMessage(absl::string_view text);

// Why the task that `text` names cannot start `what` ("a coordinator"), in one
// line.
std::string NestedStartMessage(absl::string_view text, absl::string_view what);

}  // namespace vigil

#endif  // VIGIL_BASE_TASK_TOKEN_H_
