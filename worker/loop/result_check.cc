#include "worker/loop/result_check.h"

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::worker {
namespace {

Failure Invalid(absl::string_view what) {
  return Failure{Reason::kInvalidResult,
                 absl::StrCat("the task handed in a result that ", what,
                              " (result_validator)"),
                 ""};
}

bool IsJson(const std::string& text) {
  google::protobuf::Value value;
  return google::protobuf::util::JsonStringToMessage(text, &value).ok();
}

}  // namespace

std::optional<Failure> CheckResult(v1::TaskType::ResultValidator validator,
                                   const std::string& result) {
  if (validator == v1::TaskType::RESULT_VALIDATOR_UNSPECIFIED) {
    return std::nullopt;
  }
  if (result.empty()) return Invalid("is empty");
  if (validator == v1::TaskType::RESULT_VALIDATOR_NONEMPTY) {
    return std::nullopt;
  }
  if (!IsUtf8(result)) return Invalid("is not UTF-8");
  if (validator == v1::TaskType::RESULT_VALIDATOR_UTF8) return std::nullopt;
  if (validator == v1::TaskType::RESULT_VALIDATOR_JSON) {
    return IsJson(result) ? std::nullopt
                          : std::optional(Invalid("is not JSON"));
  }
  return Invalid("this worker cannot judge: its build is too old");
}

}  // namespace vigil::worker
