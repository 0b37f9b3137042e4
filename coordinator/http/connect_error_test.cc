// Proves that errors have the codes, statuses and JSON that the Connect
// protocol's specification lists.
#include "coordinator/http/connect_error.h"

#include <gtest/gtest.h>

#include <string>

namespace vigil::coordinator {
namespace {

TEST(ConnectErrorTest, EachCodeHasItsNameAndHttpStatus) {
  // https://connectrpc.com/docs/protocol#error-codes, in gRPC's order.
  const struct {
    int code;
    const char* name;
    int http_status;
  } table[] = {
      {1, "canceled", 499},
      {2, "unknown", 500},
      {3, "invalid_argument", 400},
      {4, "deadline_exceeded", 504},
      {5, "not_found", 404},
      {6, "already_exists", 409},
      {7, "permission_denied", 403},
      {8, "resource_exhausted", 429},
      {9, "failed_precondition", 400},
      {10, "aborted", 409},
      {11, "out_of_range", 400},
      {12, "unimplemented", 501},
      {13, "internal", 500},
      {14, "unavailable", 503},
      {15, "data_loss", 500},
      {16, "unauthenticated", 401},
  };
  for (const auto& row : table) {
    const auto code = static_cast<absl::StatusCode>(row.code);
    EXPECT_EQ(ConnectCodeName(code), row.name);
    EXPECT_EQ(ConnectHttpStatus(code), row.http_status) << row.name;
  }
}

TEST(ConnectErrorTest, ACodeThatNobodyKnowsIsUnknown) {
  const auto code = static_cast<absl::StatusCode>(99);
  EXPECT_EQ(ConnectCodeName(code), "unknown");
  EXPECT_EQ(ConnectHttpStatus(code), 500);
}

TEST(ConnectErrorTest, AnErrorIsJsonUnderTheStatusOfItsCode) {
  const HttpResponse response =
      ErrorResponse(absl::NotFoundError("no job 'a\"b\n'"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.fields,
            (HttpFields{{"content-type", "application/json"}}));
  EXPECT_EQ(response.body,
            R"({"code":"not_found","message":"no job 'a\"b\n'"})");
}

TEST(ConnectErrorTest, AnErrorMayHaveAStatusOfHttpsOwn) {
  const HttpResponse response =
      ErrorResponse(absl::UnimplementedError("no"), 405);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.body, R"({"code":"unimplemented","message":"no"})");
}

TEST(ConnectErrorTest, WhatAMessageQuotesNeedNotBeUtf8) {
  EXPECT_EQ(ErrorResponse(absl::InvalidArgumentError("got \xff")).body,
            R"({"code":"invalid_argument","message":"got \\xff"})");
}

TEST(ConnectErrorTest, TrailersAreHeadersWithAPrefix) {
  const HttpResponse response =
      ErrorResponse(absl::UnavailableError("no"), {{"acme-cost", "3"}});
  EXPECT_EQ(response.fields, (HttpFields{{"content-type", "application/json"},
                                         {"trailer-acme-cost", "3"}}));
}

TEST(ConnectErrorTest, ADelayIsToldInSecondsRoundedUp) {
  const auto retry_after = [](const std::string& pushback) {
    const HttpResponse response =
        ErrorResponse(absl::ResourceExhaustedError("full"),
                      {{"grpc-retry-pushback-ms", pushback}});
    EXPECT_EQ(response.fields[1],
              (HttpField{"trailer-grpc-retry-pushback-ms", pushback}));
    for (const HttpField& field : response.fields) {
      if (field.name == "retry-after") return field.value;
    }
    return std::string("none");
  };
  EXPECT_EQ(retry_after("0"), "0");
  EXPECT_EQ(retry_after("1"), "1");
  EXPECT_EQ(retry_after("1000"), "1");
  EXPECT_EQ(retry_after("1001"), "2");
  // Not to be tried again, or not a number.
  EXPECT_EQ(retry_after("-1"), "none");
  EXPECT_EQ(retry_after("soon"), "none");
}

TEST(ConnectErrorTest, AStreamEndsWithItsErrorAndItsMetadata) {
  EXPECT_EQ(EndStreamJson(absl::OkStatus(), {}), "{}");
  EXPECT_EQ(EndStreamJson(absl::AbortedError("no"), {}),
            R"({"error":{"code":"aborted","message":"no"}})");
  EXPECT_EQ(EndStreamJson(absl::OkStatus(), {{"a", "1"}, {"a", "2"}}),
            R"({"metadata":{"a":["1","2"]}})");
}

}  // namespace
}  // namespace vigil::coordinator
