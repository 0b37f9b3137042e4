#include "client/cli/command/unary_command.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/command/call_failure.h"
#include "client/cli/command/request_size.h"
#include "client/cli/exit_code.h"
#include "client/cli/limits.h"
#include "client/cli/verb.h"

namespace vigil::cli {

using ::google::protobuf::Message;

UnaryCommand::UnaryCommand(const NounSpec& noun, const CommandSpec& command,
                           const MethodShape& shape,
                           const CommandFlags::Values& flags,
                           const Connection& connection,
                           const Environment& environment)
    : noun_(noun),
      command_(command),
      shape_(shape),
      flags_(flags),
      connection_(connection),
      environment_(environment),
      limit_(shape.list() ? flags.limit : std::nullopt),
      output_(flags.output, environment) {}

int UnaryCommand::Execute(std::unique_ptr<Message> request) {
  if (absl::Status fits = CheckRequestSize(*request); !fits.ok()) {
    return Fail(fits.message());
  }
  auto calls = client::DynamicCalls::Connect(connection_.address());
  if (!calls.ok()) return Fail(calls.status().message());
  calls_ = *std::move(calls);
  std::string next;
  do {
    if (shape_.page_size != nullptr) SetPageSize(request.get());
    const auto response = Call(*request);
    if (signal_ != 0) return kExitSignal + signal_;
    if (!response.ok()) {
      if (!output_.Finish()) return output_.ExitOfFailure();
      return TellFailure(noun_, command_, connection_, response.status());
    }
    if (shape_.list()) CountRows(response->get());
    if (!output_.PrintResponse(**response)) return output_.ExitOfFailure();
    if (!shape_.paged()) break;
    next = (*response)->GetReflection()->GetString(**response,
                                                   shape_.next_page_token);
    request->GetReflection()->SetString(request.get(), shape_.page_token, next);
  } while (!next.empty() && Wanted());
  if (!output_.Finish()) return output_.ExitOfFailure();
  if (!next.empty()) {
    Fail(absl::StrCat("there may be more: --limit=N prints more than ", *limit_,
                      ", --all prints all"));
  }
  return 0;
}

absl::StatusOr<client::DynamicCalls::MessagePtr> UnaryCommand::Call(
    const Message& request) {
  using Answer = absl::StatusOr<client::DynamicCalls::MessagePtr>;
  std::optional<Answer> answer;
  calls_->Call(std::string(command_.method), request,
               NewMessage(shape_.response),
               [this, &answer](Answer came) {
                 environment_.events->Post(
                     [&answer, came = std::move(came)] { answer = came; });
               },
               {.timeout = flags_.timeout});
  while (!answer.has_value()) {
    signal_ = environment_.events->Wait(absl::InfiniteDuration()).signal;
    if (signal_ == 0) continue;
    // Waits for the callback, whose event nobody takes.
    calls_.reset();
    return absl::CancelledError("given up");
  }
  return *std::move(answer);
}

void UnaryCommand::SetPageSize(Message* request) {
  const int left = limit_.has_value() ? *limit_ - rows_ : kPageRowsMax;
  request->GetReflection()->SetInt32(request, shape_.page_size,
                                     std::min(left, kPageRowsMax));
}

void UnaryCommand::CountRows(Message* response) {
  const auto* access = response->GetReflection();
  while (limit_.has_value() &&
         access->FieldSize(*response, shape_.rows) > *limit_ - rows_) {
    access->RemoveLast(response, shape_.rows);
  }
  rows_ += access->FieldSize(*response, shape_.rows);
}

}  // namespace vigil::cli
