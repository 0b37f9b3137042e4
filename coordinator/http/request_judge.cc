#include "coordinator/http/request_judge.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coordinator/http/connect_error.h"
#include "coordinator/http/limits.h"
#include "coordinator/http/stream_answer.h"

namespace vigil::coordinator {
namespace {

using google::protobuf::MethodDescriptor;

// The protocol's largest timeout has ten digits.
constexpr size_t kTimeoutDigitsMax = 10;

// Returns the value of a header that may be there once; null: it is not.
const std::string* Find(const HttpFields& fields, absl::string_view name) {
  for (const HttpField& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

bool AppearsTwice(const HttpFields& fields, absl::string_view name) {
  return std::count_if(fields.begin(), fields.end(),
                       [&](const HttpField& f) { return f.name == name; }) > 1;
}

// Who asks, and whether in the one way that there is.
std::optional<HttpResponse> CheckCaller(const HttpRequestHead& head,
                                        const HostJudge& hosts) {
  for (const char* name : {"host", "origin", "content-type", "content-encoding",
                           "connect-content-encoding",
                           "connect-protocol-version", "connect-timeout-ms"}) {
    if (AppearsTwice(head.fields, name)) {
      return ErrorResponse(absl::InvalidArgumentError(
          absl::StrCat("the header ", name, " may be there once")));
    }
  }
  const std::string* host = Find(head.fields, "host");
  if (host == nullptr) {
    return ErrorResponse(
        absl::InvalidArgumentError("the request has no Host header"));
  }
  absl::Status status = hosts.CheckHost(*host);
  if (!status.ok()) return ErrorResponse(status);
  if (const std::string* origin = Find(head.fields, "origin");
      origin != nullptr) {
    status = HostJudge::CheckOrigin(*origin, *host);
    if (!status.ok()) return ErrorResponse(status);
  }
  return std::nullopt;
}

// The parser takes a body apart only where the field is exactly this; of any
// other coding it would take the body for the next request.
bool IsChunked(const std::string& coding) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(coding, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  return words.size() == 1 && absl::EqualsIgnoreCase(words[0], "chunked");
}

// Where the body ends, which must be told once and in a way that is known.
std::optional<HttpResponse> CheckBodyEnd(const HttpFields& fields) {
  const std::string* coding = Find(fields, "transfer-encoding");
  const std::string* length = Find(fields, "content-length");
  if (AppearsTwice(fields, "transfer-encoding") ||
      AppearsTwice(fields, "content-length") ||
      (length != nullptr &&
       (coding != nullptr || absl::StrContains(*length, ',')))) {
    return ErrorResponse(absl::InvalidArgumentError(
        "where the body ends is told twice: by one content-length or by one "
        "transfer-encoding"));
  }
  if (coding != nullptr && !IsChunked(*coding)) {
    return ErrorResponse(absl::UnimplementedError(
        absl::StrCat("transfer-encoding is '", *coding,
                     "'; the codings that are supported: chunked")));
  }
  return std::nullopt;
}

// What the client waits for before it sends the body.
std::optional<HttpResponse> CheckExpectation(const HttpFields& fields) {
  for (const HttpField& field : fields) {
    if (field.name == "expect" &&
        !absl::EqualsIgnoreCase(field.value, "100-continue")) {
      return ErrorResponse(
          absl::UnimplementedError(absl::StrCat("expect is '", field.value,
                                                "'; it may be 100-continue")),
          417);
    }
  }
  return std::nullopt;
}

// Returns the codec that a content type names; unset: it is not one of the
// method's. JSON may say that it is UTF-8.
std::optional<Codec> CodecOf(const MethodDescriptor& method,
                             absl::string_view content_type) {
  const std::string lower = absl::AsciiStrToLower(content_type);
  const std::vector<absl::string_view> parts =
      absl::StrSplit(lower, absl::MaxSplits(';', 1));
  absl::string_view type = absl::StripAsciiWhitespace(parts[0]);
  if (!absl::ConsumePrefix(&type, "application/") ||
      (method.server_streaming() && !absl::ConsumePrefix(&type, "connect+"))) {
    return std::nullopt;
  }
  if (type == "json" &&
      (parts.size() == 1 ||
       absl::StripAsciiWhitespace(parts[1]) == "charset=utf-8")) {
    return Codec::kJson;
  }
  if (type == "proto" && parts.size() == 1) return Codec::kProto;
  return std::nullopt;
}

HttpResponse UnknownType(const MethodDescriptor& method) {
  const std::string prefix =
      method.server_streaming() ? "application/connect+" : "application/";
  HttpResponse response = ErrorResponse(
      absl::InvalidArgumentError(absl::StrCat(
          method.name(), " takes content-type ", prefix, "json or ", prefix,
          "proto",
          method.server_streaming() ? ", since it answers with a stream" : "")),
      415);
  response.fields.push_back(
      {"accept-post", absl::StrCat(prefix, "json, ", prefix, "proto")});
  return response;
}

absl::StatusOr<std::optional<absl::Duration>> TimeoutOf(
    const HttpFields& fields) {
  const std::string* text = Find(fields, "connect-timeout-ms");
  if (text == nullptr) return std::nullopt;
  int64_t timeout_ms = 0;
  if (text->size() > kTimeoutDigitsMax ||
      !std::all_of(text->begin(), text->end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(*text, &timeout_ms)) {
    return absl::InvalidArgumentError(
        absl::StrCat("connect-timeout-ms is '", *text,
                     "'; it must be milliseconds, of at most ten digits"));
  }
  return absl::Milliseconds(timeout_ms);
}

absl::StatusOr<HttpFields> MetadataOf(const HttpFields& fields) {
  HttpFields metadata;
  for (const HttpField& field : fields) {
    if (!absl::StartsWith(field.name, "vigil-")) continue;
    if (!std::all_of(field.name.begin(), field.name.end(),
                     [](char c) {
                       return absl::ascii_islower(c) ||
                              absl::ascii_isdigit(c) || c == '-' || c == '_' ||
                              c == '.';
                     }) ||
        absl::EndsWith(field.name, "-bin") ||
        !std::all_of(field.value.begin(), field.value.end(),
                     absl::ascii_isprint)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the header ", field.name,
          " cannot be metadata: a name of letters, digits, - _ and . that does "
          "not end in -bin, and a value of printable ASCII"));
    }
    metadata.push_back(field);
  }
  if (metadata.size() > kHttpMetadataMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kHttpMetadataMax,
                     " headers begin with vigil-; send fewer"));
  }
  return metadata;
}

// Takes in what the protocol's own headers say.
absl::Status TakeHeaders(const HttpFields& fields, ConnectRequest* request) {
  const std::string* version = Find(fields, "connect-protocol-version");
  if (version != nullptr && *version != "1") {
    return absl::InvalidArgumentError(absl::StrCat(
        "connect-protocol-version is '", *version, "'; it must be 1"));
  }
  for (const char* name : {"content-encoding", "connect-content-encoding"}) {
    const std::string* encoding = Find(fields, name);
    if (encoding != nullptr && !absl::EqualsIgnoreCase(*encoding, "identity")) {
      return absl::UnimplementedError(
          absl::StrCat(name, " is '", *encoding,
                       "'; the encodings that are supported: identity"));
    }
  }
  absl::StatusOr<std::optional<absl::Duration>> timeout = TimeoutOf(fields);
  if (!timeout.ok()) return timeout.status();
  request->timeout = *timeout;
  absl::StatusOr<HttpFields> metadata = MetadataOf(fields);
  if (!metadata.ok()) return metadata.status();
  request->metadata = *std::move(metadata);
  return absl::OkStatus();
}

}  // namespace

absl::variant<ConnectRequest, HttpResponse> RequestJudge::Judge(
    const HttpRequestHead& head) const {
  // Who may not ask is told nothing else.
  if (auto refusal = CheckCaller(head, *hosts_)) return *std::move(refusal);
  if (auto refusal = CheckBodyEnd(head.fields)) return *std::move(refusal);
  if (auto refusal = CheckExpectation(head.fields)) return *std::move(refusal);
  const MethodDescriptor* method = methods_->Find(head.target);
  if (method == nullptr) {
    return ErrorResponse(
        absl::UnimplementedError(
            absl::StrCat("there is no method ", head.target,
                         "; they are named as in /vigil.v1.JobService/GetJob")),
        404);
  }
  if (head.method != "POST") {
    HttpResponse response =
        ErrorResponse(absl::UnimplementedError(absl::StrCat(
                          head.target, " is called with POST only")),
                      405);
    response.fields.push_back({"allow", "POST"});
    return response;
  }
  if (method->client_streaming()) {
    return ErrorResponse(absl::UnimplementedError(absl::StrCat(
        method->name(),
        " takes a stream of messages, which HTTP/1.1 cannot carry beside its "
        "answers: call it by gRPC, or use the other methods of ",
        method->service()->name())));
  }
  const std::string* type = Find(head.fields, "content-type");
  const std::optional<Codec> codec = CodecOf(*method, type ? *type : "");
  if (!codec) return UnknownType(*method);
  ConnectRequest request;
  request.method = method;
  request.codec = *codec;
  const absl::Status status = TakeHeaders(head.fields, &request);
  if (status.ok()) return request;
  return method->server_streaming() ? StreamRefusal(*codec, status)
                                    : ErrorResponse(status);
}

}  // namespace vigil::coordinator
