#include "base/task_token.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace vigil {
namespace {

// As ids and names are bounded everywhere.
constexpr size_t kNameBytesMax = 64;

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

// Takes `<key>=<value>` from the front of `text`, and the `;` behind it; or
// sees that it is the end if it is the last one.
enum class Place { kMore, kLast };
bool TakeField(absl::string_view* text, absl::string_view key, Place place,
               absl::string_view* value) {
  if (!absl::ConsumePrefix(text, key) || !absl::ConsumePrefix(text, "=")) {
    return false;
  }
  const size_t end = std::min(text->find(';'), text->size());
  *value = text->substr(0, end);
  text->remove_prefix(end);
  if (value->empty() || value->size() > kNameBytesMax ||
      !std::all_of(value->begin(), value->end(), IsNameByte)) {
    return false;
  }
  return place == Place::kLast ? text->empty() : absl::ConsumePrefix(text, ";");
}

bool TakeNumber(absl::string_view* text, absl::string_view key, int min,
                int* number) {
  absl::string_view value;
  return TakeField(text, key, Place::kLast, &value) &&
         absl::SimpleAtoi(value, number) && *number >= min;
}

std::string Describe(const AttemptId& attempt) {
  return absl::StrCat("job ", attempt.job_id.value(), " (attempt ",
                      attempt.number, ")");
}

std::string Describe(const WarmSlot& warm) {
  return absl::StrCat("a warm task of type ", warm.task_type, " (worker ",
                      warm.worker.value(), ", slot ", warm.slot, ")");
}

}  // namespace

std::string FormatTaskToken(const TaskToken& token) {
  if (const auto* attempt = std::get_if<AttemptId>(&token)) {
    return absl::StrCat("job=", attempt->job_id.value(),
                        ";attempt=", attempt->number);
  }
  const WarmSlot& warm = std::get<WarmSlot>(token);
  return absl::StrCat("type=", warm.task_type, ";worker=", warm.worker.value(),
                      ";slot=", warm.slot);
}

std::optional<TaskToken> ParseTaskToken(absl::string_view text) {
  absl::string_view name;
  int number = 0;
  absl::string_view rest = text;
  if (TakeField(&rest, "job", Place::kMore, &name)) {
    if (!TakeNumber(&rest, "attempt", 1, &number)) return std::nullopt;
    return AttemptId{JobId(std::string(name)), number};
  }
  rest = text;
  absl::string_view worker;
  if (!TakeField(&rest, "type", Place::kMore, &name) ||
      !TakeField(&rest, "worker", Place::kMore, &worker) ||
      !TakeNumber(&rest, "slot", 0, &number)) {
    return std::nullopt;
  }
  return WarmSlot{std::string(name), WorkerId(std::string(worker)), number};
}

std::string CleanTaskToken(absl::string_view text) {
  std::string clean(text.substr(0, kTaskTokenBytesMax));
  for (char& c : clean) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return clean;
}

std::string DescribeTask(absl::string_view text) {
  const std::optional<TaskToken> token = ParseTaskToken(text);
  if (!token.has_value()) {
    return absl::StrCat("what runs with ", kTaskTokenVariable, "=",
                        CleanTaskToken(text));
  }
  return std::visit([](const auto& task) { return Describe(task); }, *token);
}

std::string NestedDispatchMessage(absl::string_view text) {
  return absl::StrCat(
      "NESTED_DISPATCH: ", DescribeTask(text),
      " is a task of Vigil and cannot submit jobs: it would wait for a slot "
      "that it holds itself; submit from the client instead");
}

std::string NestedStartMessage(absl::string_view text, absl::string_view what) {
  return absl::StrCat(
      "NESTED_DISPATCH: ", DescribeTask(text),
      " is a task of Vigil and cannot start ", what,
      ": it would end with the task; start it outside of tasks, without ",
      kTaskTokenVariable, " in its environment");
}

}  // namespace vigil
