#include "coordinator/http/connect_error.h"

#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "coordinator/http/connect.pb.h"
#include "coordinator/http/limits.h"

namespace vigil::coordinator {
namespace {

constexpr char kPushbackKey[] = "grpc-retry-pushback-ms";

struct CodeRow {
  const char* name;
  int http_status;
};

CodeRow RowOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
      return {"canceled", 499};
    case absl::StatusCode::kInvalidArgument:
      return {"invalid_argument", 400};
    case absl::StatusCode::kDeadlineExceeded:
      return {"deadline_exceeded", 504};
    case absl::StatusCode::kNotFound:
      return {"not_found", 404};
    case absl::StatusCode::kAlreadyExists:
      return {"already_exists", 409};
    case absl::StatusCode::kPermissionDenied:
      return {"permission_denied", 403};
    case absl::StatusCode::kResourceExhausted:
      return {"resource_exhausted", 429};
    case absl::StatusCode::kFailedPrecondition:
      return {"failed_precondition", 400};
    case absl::StatusCode::kAborted:
      return {"aborted", 409};
    case absl::StatusCode::kOutOfRange:
      return {"out_of_range", 400};
    case absl::StatusCode::kUnimplemented:
      return {"unimplemented", 501};
    case absl::StatusCode::kInternal:
      return {"internal", 500};
    case absl::StatusCode::kUnavailable:
      return {"unavailable", 503};
    case absl::StatusCode::kDataLoss:
      return {"data_loss", 500};
    case absl::StatusCode::kUnauthenticated:
      return {"unauthenticated", 401};
    case absl::StatusCode::kOk:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::
        kDoNotUseReservedForFutureExpansionUseDefaultInSwitchInstead_:
      break;
  }
  return {"unknown", 500};
}

connect_json::Error ErrorOf(const absl::Status& status) {
  connect_json::Error error;
  error.set_code(ConnectCodeName(status.code()));
  // It may quote what the client sent.
  error.set_message(ToUtf8(std::string(status.message()), kHttpErrorBytesMax));
  return error;
}

std::string JsonOf(const google::protobuf::Message& message) {
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json);
  // It fails for text that is not UTF-8, and ours is.
  return status.ok() ? json : "{\"code\":\"internal\"}";
}

}  // namespace

std::string ConnectCodeName(absl::StatusCode code) { return RowOf(code).name; }

int ConnectHttpStatus(absl::StatusCode code) { return RowOf(code).http_status; }

HttpFields TrailerHeaders(const HttpFields& trailing) {
  HttpFields headers;
  for (const HttpField& field : trailing) {
    headers.push_back({absl::StrCat("trailer-", field.name), field.value});
  }
  return headers;
}

HttpResponse ErrorResponse(const absl::Status& error,
                           const HttpFields& trailing) {
  HttpResponse response = ErrorResponse(error, ConnectHttpStatus(error.code()));
  for (HttpField& field : TrailerHeaders(trailing)) {
    response.fields.push_back(std::move(field));
  }
  for (const HttpField& field : trailing) {
    int64_t delay_ms = 0;
    if (field.name == kPushbackKey &&
        absl::SimpleAtoi(field.value, &delay_ms) && delay_ms >= 0) {
      // Retry-After counts in seconds.
      response.fields.push_back(
          {"retry-after",
           absl::StrCat(delay_ms / 1000 + (delay_ms % 1000 > 0))});
    }
  }
  return response;
}

HttpResponse ErrorResponse(const absl::Status& error, int http_status) {
  HttpResponse response;
  response.status = http_status;
  response.fields = {{"content-type", "application/json"}};
  response.body = JsonOf(ErrorOf(error));
  return response;
}

std::string EndStreamJson(const absl::Status& status,
                          const HttpFields& trailing) {
  connect_json::EndStream end;
  if (!status.ok()) *end.mutable_error() = ErrorOf(status);
  for (const HttpField& field : trailing) {
    (*end.mutable_metadata())[field.name].add_values()->set_string_value(
        field.value);
  }
  return JsonOf(end);
}

}  // namespace vigil::coordinator
