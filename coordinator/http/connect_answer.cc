#include "coordinator/http/connect_answer.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coordinator/http/connect_error.h"
#include "coordinator/http/envelope.h"
#include "coordinator/http/limits.h"
#include "coordinator/http/stream_answer.h"

namespace vigil::coordinator {

ConnectAnswer::ConnectAnswer(ConnectRequest request, RpcCalls* calls,
                             int* streams)
    : request_(std::move(request)), calls_(calls), streams_(streams) {
  if (is_stream()) ++*streams_;
}

ConnectAnswer::~ConnectAnswer() {
  if (is_stream()) --*streams_;
}

size_t ConnectAnswer::body_bytes_max() const {
  const size_t bytes_max = request_.codec == Codec::kJson
                               ? kHttpJsonBodyBytesMax
                               : kHttpBinaryBodyBytesMax;
  return is_stream() ? bytes_max + kEnvelopeHeadBytes : bytes_max;
}

void ConnectAnswer::Start(std::string body, HttpExchange* exchange) {
  exchange_ = exchange;
  absl::StatusOr<absl::string_view> text = body;
  if (is_stream()) {
    exchange_->Begin(StreamHead(request_.codec));
    text = OnlyMessage(body);
    if (!text.ok()) return Fail(text.status(), {});
  }
  absl::StatusOr<std::string> message =
      ToBinary(request_.method->input_type(), request_.codec, *text);
  if (!message.ok()) return Fail(message.status(), {});
  if (message->size() > kHttpBinaryBodyBytesMax) {
    return RefuseTooLarge(message->size());
  }
  call_ = calls_->Start(
      {.path = absl::StrCat("/", request_.method->service()->full_name(), "/",
                            request_.method->name()),
       .answers =
           is_stream() ? RpcCalls::Answers::kStream : RpcCalls::Answers::kOne,
       .message = *std::move(message),
       .metadata = std::move(request_.metadata),
       .timeout = request_.timeout},
      this);
}

// JSON may be longer than its message, so its size alone does not tell.
void ConnectAnswer::RefuseTooLarge(size_t bytes) {
  const absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("the body is too large: a message may have ",
                   kHttpBinaryBodyBytesMax, " bytes, and this has ", bytes));
  if (is_stream()) return Fail(status, {});
  exchange_->Respond(ErrorResponse(status, 413));
}

void ConnectAnswer::OnMessage(std::string message) {
  if (!is_stream()) {
    message_ = std::move(message);
    return;
  }
  absl::StatusOr<std::string> text = FromBinary(
      request_.method->output_type(), request_.codec, std::move(message));
  if (!text.ok()) return Fail(text.status(), {});
  exchange_->Send(Enveloped(EnvelopeKind::kMessage, *text),
                  [this] { call_->Next(); });
}

void ConnectAnswer::OnEnd(absl::Status status, HttpFields trailing) {
  if (failed_) return;
  if (is_stream()) return exchange_->End(StreamEnd(status, trailing));
  if (!status.ok()) return Fail(status, trailing);
  if (!message_) {
    return Fail(absl::InternalError("the RPC ended without an answer"),
                trailing);
  }
  absl::StatusOr<std::string> text = FromBinary(
      request_.method->output_type(), request_.codec, *std::move(message_));
  if (!text.ok()) return Fail(text.status(), trailing);
  HttpResponse response;
  response.fields = TrailerHeaders(trailing);
  response.fields.push_back({"content-type", request_.codec == Codec::kJson
                                                 ? "application/json"
                                                 : "application/proto"});
  response.body = *std::move(text);
  exchange_->Respond(std::move(response));
}

void ConnectAnswer::Fail(const absl::Status& status,
                         const HttpFields& trailing) {
  failed_ = true;
  if (is_stream()) {
    exchange_->End(StreamEnd(status, trailing));
  } else {
    exchange_->Respond(ErrorResponse(status, trailing));
  }
}

}  // namespace vigil::coordinator
