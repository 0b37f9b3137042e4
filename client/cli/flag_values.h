// Setters for flags: each reads one kind of value into a variable of the
// caller, or says what a good value looks like. Thread-compatible; the
// variables are borrowed and outlive the flags.
#ifndef VIGIL_CLIENT_CLI_FLAG_VALUES_H_
#define VIGIL_CLIENT_CLI_FLAG_VALUES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "vigil/v1/failure.pb.h"

namespace vigil::cli {

using Setter = std::function<absl::Status(absl::string_view)>;

// "45s", "1m30s", "250ms", "0". Negative values are left for the coordinator
// to refuse, which knows the bounds.
//
// - INVALID_ARGUMENT: not a duration, without a unit, or infinite.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "INVALID_INPUT", "invalid-input" or "REASON_INVALID_INPUT".
//
// - INVALID_ARGUMENT: no such reason; the message names the nearest one.
absl::StatusOr<v1::Failure::Reason> ParseReason(absl::string_view text);

Setter SetText(std::string* text);
// Where an empty value is one too.
Setter SetOptionalText(std::optional<std::string>* text);
Setter SetSwitch(bool* value);
Setter SetNumber(int min, int max, std::function<void(int)> set);
Setter SetDuration(std::function<google::protobuf::Duration*()> field);
// May be given many times; each value may be a list with commas.
Setter AddReasons(std::function<void(v1::Failure::Reason)> add);
// May be given many times.
Setter AddText(std::vector<std::string>* list);
// `text` or `json`.
Setter SetOutputFormat(bool* json);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FLAG_VALUES_H_
