#include "base/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/attributes.h"
#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"

namespace vigil {
namespace {

using Instant = std::chrono::steady_clock::time_point;

// Between two lines: an operator learns that it goes on, at 6 MB a day at most.
constexpr std::chrono::minutes kPause(1);

ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);
std::optional<Instant> last ABSL_GUARDED_BY(mutex);
int64_t left_out ABSL_GUARDED_BY(mutex) = 0;

void Handle(google::protobuf::LogLevel level, const char*, int,
            const std::string& message) {
  if (level == google::protobuf::LOGLEVEL_FATAL) {
    return Log(LogSeverity::kError, absl::StrCat("protobuf: ", message));
  }
  absl::MutexLock lock(&mutex);
  const Instant now = std::chrono::steady_clock::now();
  if (last && now - *last < kPause) {
    ++left_out;
    return;
  }
  Log(LogSeverity::kWarning, absl::StrCat("protobuf: ", message, " (", left_out,
                                          " such lines were left out before)"));
  last = now;
  left_out = 0;
}

}  // namespace

void LogWhatProtobufSays() { google::protobuf::SetLogHandler(&Handle); }

}  // namespace vigil
