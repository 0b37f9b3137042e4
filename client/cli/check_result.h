// CheckResult: what one check of `vigil doctor` found. A value,
// thread-compatible.
#ifndef VIGIL_CLIENT_CLI_CHECK_RESULT_H_
#define VIGIL_CLIENT_CLI_CHECK_RESULT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace vigil::cli {

struct CheckResult {
  enum class State {
    // It works.
    kOk,
    // It does not; `advice` says what to do.
    kFailed,
    // It could not be looked at; `message` says why.
    kSkipped,
  };
  using Figure = std::variant<int64_t, double, std::string>;

  static CheckResult Ok(std::string message) {
    return {.state = State::kOk, .message = std::move(message)};
  }
  static CheckResult Failed(std::string message, std::string advice) {
    return {.state = State::kFailed,
            .message = std::move(message),
            .advice = std::move(advice)};
  }
  static CheckResult Skipped(std::string message) {
    return {.state = State::kSkipped, .message = std::move(message)};
  }

  // Adds a figure; durations are milliseconds, and so their names end in `_ms`.
  void Add(std::string name, Figure figure) {
    figures.emplace_back(std::move(name), std::move(figure));
  }
  void AddMs(std::string name, absl::Duration duration) {
    Add(std::move(name), absl::ToDoubleMilliseconds(duration));
  }

  State state = State::kOk;
  // The name that --only takes: lower case, with underscores.
  std::string check = {};
  // What was found, in one line.
  std::string message = {};
  // What to do, in one line; empty unless it failed.
  std::string advice = {};
  std::vector<std::pair<std::string, Figure>> figures = {};
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_CHECK_RESULT_H_
