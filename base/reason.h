// Reason: why a job or attempt did not end with its own result, with the advice
// and retry rule of each. Numbers are those of vigil.v1.Failure.Reason, and
// numbers unknown here are kept as they are. Thread-safe functions.
#ifndef VIGIL_BASE_REASON_H_
#define VIGIL_BASE_REASON_H_

#include <string>
#include <string_view>

namespace vigil {

enum class Reason : int {
  kUnspecified = 0,
  kStartupTimeout = 1,
  kInactivityTimeout = 2,
  kProgressTimeout = 3,
  kStartToCloseTimeout = 4,
  kScheduleToStartTimeout = 5,
  kScheduleToCloseTimeout = 6,
  kSlowChunks = 7,
  kCancelled = 8,
  kDrained = 9,
  kWorkerLost = 10,
  kOutOfMemory = 11,
  kResourceExhausted = 12,
  kNestedPool = 13,
  kNestedDispatch = 14,
  kInvalidInput = 15,
  kInvalidResult = 16,
  kTaskError = 17,
  kNonzeroExit = 18,
  kSignalled = 19,
  kSpawnFailed = 20,
  kProtocolError = 21,
  kOutputLimit = 22,
  kServerUnavailable = 23,
  kInternal = 24,
};

// "INACTIVITY_TIMEOUT"; "REASON_77" for a number not known here.
std::string ReasonName(Reason reason);

// One line: what a person can do about it. Empty for kUnspecified.
std::string_view AdviceFor(Reason reason);

// Whether it is retried without being named in retry_on.
bool RetriedByDefault(Reason reason);

// Whose shortage it was. Numbers are those of vigil.v1.Failure.Exhaustion.
enum class Exhaustion : int {
  kUnspecified = 0,
  kTask = 1,
  kHost = 2,
};

// Why something ended, as it is stored and shown.
struct Failure {
  Reason reason = Reason::kUnspecified;
  // One sentence, at most kFailureMessageBytesMax.
  std::string message;
  // Empty: AdviceFor(reason).
  std::string advice = {};
  Exhaustion exhaustion = Exhaustion::kUnspecified;

  friend bool operator==(const Failure&, const Failure&) = default;
};

}  // namespace vigil

#endif  // VIGIL_BASE_REASON_H_
