// Setters for flags: each reads one kind of value into a variable of the
// caller, or says what a good value looks like. Thread-compatible; the
// variables are borrowed and outlive the flags.
#ifndef VIGIL_CLIENT_CLI_FLAG_VALUES_H_
#define VIGIL_CLIENT_CLI_FLAG_VALUES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/failure.pb.h"
#include "vigil/v1/job.pb.h"

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

// "512M", "2G", "1.5GiB", "1048576": bytes, or K, M, G, T as powers of 1024,
// with or without "iB", in any case. Bounds are left for the coordinator.
//
// - INVALID_ARGUMENT: not a size; negative; above 2^53; or "MB" and the like,
//   which some read as powers of 1000.
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);

// "USR1", "SIGUSR1", "sigusr1" or "10": a signal from 1 to 31.
//
// - INVALID_ARGUMENT: no such signal; the message names the nearest one.
absl::StatusOr<int> ParseSignal(absl::string_view text);

// "retry_sequential", "RETRY-SEQUENTIAL" or "ON_NESTED_POOL_RETRY_SEQUENTIAL".
//
// - INVALID_ARGUMENT: no such policy; the message names the nearest one.
absl::StatusOr<v1::JobSpec::OnNestedPool> ParseOnNestedPool(
    absl::string_view text);

Setter SetText(std::string* text);
// Where an empty value is one too.
Setter SetOptionalText(std::optional<std::string>* text);
Setter SetSwitch(bool* value);
Setter SetNumber(int min, int max, std::function<void(int)> set);
Setter SetBytes(std::function<void(int64_t)> set);
Setter SetSignal(std::function<void(int)> set);
Setter SetOnNestedPool(std::function<void(v1::JobSpec::OnNestedPool)> set);
Setter SetDuration(std::function<google::protobuf::Duration*()> field);
// A duration that is not negative.
Setter SetTimeSpan(absl::Duration* span);
// May be given many times; each value may be a list with commas.
Setter AddReasons(std::function<void(v1::Failure::Reason)> add);
// May be given many times.
Setter AddText(std::vector<std::string>* list);
// "10", "5-in-a-row" or "20%": how many items of a batch may fail. May be given
// many times; each kind is a field of its own.
Setter SetStopRule(v1::StopRule* rule);
// `text` or `json`.
Setter SetOutputFormat(bool* json);

// INVALID_ARGUMENT: "`text` is neither A, B nor C". There are two `words` or
// more.
absl::Status NeitherOf(absl::string_view text,
                       const std::vector<std::string>& words);

// One of a few words, each of which stands for a value.
template <typename Value>
Setter SetChoice(Value* value,
                 std::vector<std::pair<std::string, Value>> choices) {
  return [value, choices = std::move(choices)](absl::string_view text) {
    std::vector<std::string> words;
    for (const auto& choice : choices) {
      if (choice.first == text) {
        *value = choice.second;
        return absl::OkStatus();
      }
      words.push_back(choice.first);
    }
    return NeitherOf(text, words);
  };
}

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FLAG_VALUES_H_
