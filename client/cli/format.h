// How times, sizes, names and text are written for people. Pure functions,
// thread-safe.
#ifndef VIGIL_CLIENT_CLI_FORMAT_H_
#define VIGIL_CLIENT_CLI_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "vigil/v1/failure.pb.h"
#include "vigil/v1/job.pb.h"
#include "vigil/v1/worker.pb.h"

namespace vigil::cli {

// Colours, where they are wanted.
class Style {
 public:
  enum class Colour { kNone, kAnsi };
  explicit Style(Colour colour) : colour_(colour) {}

  std::string Bold(absl::string_view text) const { return Wrap("1", text); }
  std::string Dim(absl::string_view text) const { return Wrap("2", text); }
  std::string Red(absl::string_view text) const { return Wrap("31", text); }
  std::string Green(absl::string_view text) const { return Wrap("32", text); }
  std::string Yellow(absl::string_view text) const { return Wrap("33", text); }

 private:
  std::string Wrap(absl::string_view code, absl::string_view text) const;

  Colour colour_;
};

// "0.25s", "4.2s", "45s", "1m30s", "2h05m", "3d4h".
std::string HumanDuration(absl::Duration duration);

// How long ago that is, as HumanDuration has it; of what is to come 0.
std::string AgeOf(const google::protobuf::Timestamp& since, absl::Time now);

// "1 slot", "2 slots"; "2 processes".
std::string Plural(int64_t count, absl::string_view noun);

// "812 B", "1.5 KiB", "3.0 MiB".
std::string HumanBytes(int64_t bytes);

// "2026-11-21 06:16:02" in the given zone.
std::string HumanTime(absl::Time time, absl::TimeZone zone);

// "RUNNING", "ACTIVE", "SLOTS_BUSY", "INACTIVITY_TIMEOUT": without the prefix
// of the enum; a number that is not known as it is.
std::string StateName(v1::Job::State state);
std::string PhaseName(v1::Attempt::Phase phase);
std::string WaitingName(v1::Job::WaitingReason reason);
std::string FailureName(v1::Failure::Reason reason);
std::string WorkerStateName(v1::Worker::State state);

// The name of an enum's value without `prefix`; an empty one is a value that is
// not known: the prefix and its number.
std::string Stripped(const std::string& name, absl::string_view prefix,
                     int number);

// What writes the result, or partial result, of this job.
std::string ExplainResultCommand(const v1::Job& job);

// Whether the job has ended.
bool IsFinal(v1::Job::State state);

// One line that says why: "REASON: message", with "(the task's own) " or "(the
// host's) " before the message where it is known whose shortage it was.
std::string FailureLine(const v1::Failure& failure);

// What to do about it; empty when there is nothing to say.
std::string AdviceLine(const v1::Failure& failure);

// "37 of 100"; "37" while nobody knows of how many.
std::string ProgressText(const v1::Progress& progress);

// "3 of 10 chunks: SLOW_CHUNKS: message": how far a truncated job came, and why
// no further.
std::string TruncationLine(const v1::Truncation& truncation);

// "exit status 3", "signal 11 (Segmentation fault)"; empty for neither.
std::string ExitText(const v1::Exit& exit);

// One line: control characters and bytes that are not UTF-8 are escaped.
std::string OneLine(absl::string_view text);

// How many characters a text has.
size_t CharactersOf(absl::string_view text);

// `text` filled up with blanks, or cut with "...", to `width` characters.
std::string Fit(absl::string_view text, size_t width);

// The message as one line of JSON, or as indented JSON, with the names of its
// proto file.
enum class JsonLayout { kOneLine, kIndented };
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout);

// The text as a JSON string, quotes included. It is UTF-8.
std::string JsonString(absl::string_view text);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_FORMAT_H_
