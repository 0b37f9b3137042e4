// Proves what a request's line and headers must be, and what each that is
// refused is told: by the real services' descriptors, without a socket.
#include "coordinator/http/request_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/http/limits.h"
#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::coordinator {
namespace {

using testing::HasSubstr;

class RequestJudgeTest : public testing::Test {
 protected:
  RequestJudgeTest()
      : methods_({v1::SubmitJobRequest::descriptor()
                      ->file()
                      ->FindServiceByName("JobService")
                      ->full_name(),
                  v1::CreateBatchRequest::descriptor()
                      ->file()
                      ->FindServiceByName("BatchService")
                      ->full_name(),
                  v1::AttachRequest::descriptor()
                      ->file()
                      ->FindServiceByName("DispatchService")
                      ->full_name()}),
        hosts_({"127.0.0.1:8080"}, {}) {}

  // A good request, which the tests change.
  static HttpRequestHead Get() {
    return {"POST",
            "/vigil.v1.JobService/GetJob",
            {{"host", "localhost:8080"}, {"content-type", "application/json"}}};
  }
  static HttpRequestHead Watch() {
    return {"POST",
            "/vigil.v1.JobService/WatchJob",
            {{"host", "localhost:8080"},
             {"content-type", "application/connect+json"}}};
  }
  static HttpRequestHead With(HttpRequestHead head, const std::string& name,
                              const std::string& value) {
    head.fields.push_back({name, value});
    return head;
  }
  static HttpRequestHead OfType(HttpRequestHead head, const std::string& type) {
    head.fields.back().value = type;
    return head;
  }

  ConnectRequest Accept(const HttpRequestHead& head) {
    auto judged = RequestJudge(&methods_, &hosts_).Judge(head);
    if (const auto* refusal = absl::get_if<HttpResponse>(&judged)) {
      ADD_FAILURE() << refusal->status << refusal->body;
      return {};
    }
    return absl::get<ConnectRequest>(judged);
  }
  HttpResponse Refuse(const HttpRequestHead& head) {
    auto judged = RequestJudge(&methods_, &hosts_).Judge(head);
    if (absl::holds_alternative<ConnectRequest>(judged)) {
      ADD_FAILURE() << "accepted";
      return {};
    }
    return absl::get<HttpResponse>(judged);
  }

  const MethodTable methods_;
  const HostJudge hosts_;
};

TEST_F(RequestJudgeTest, TakesAMethodByItsPath) {
  const ConnectRequest request = Accept(Get());
  EXPECT_EQ(request.method->full_name(), "vigil.v1.JobService.GetJob");
  EXPECT_EQ(request.codec, Codec::kJson);
  EXPECT_EQ(request.timeout, std::nullopt);
  EXPECT_TRUE(request.metadata.empty());
}

TEST_F(RequestJudgeTest, NoOtherPathIsAMethod) {
  for (const char* target :
       {"", "/", "*", "vigil.v1.JobService/GetJob",
        "/vigil.v1.JobService/getJob", "/vigil.v1.JobService/GetJob/",
        "/vigil.v1.JobService/GetJob?x=1", "//vigil.v1.JobService/GetJob",
        "/vigil.v1.JobService/Get%4aob", "/api/vigil.v1.JobService/GetJob",
        "http://localhost:8080/vigil.v1.JobService/GetJob",
        "/vigil.v1.JobService", "/vigil.v1.NoService/GetJob"}) {
    HttpRequestHead head = Get();
    head.target = target;
    const HttpResponse response = Refuse(head);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_THAT(response.body, HasSubstr("\"unimplemented\"")) << target;
  }
}

TEST_F(RequestJudgeTest, WhatIsForWorkersIsNotThere) {
  HttpRequestHead head = Get();
  head.target = "/vigil.v1.DispatchService/Attach";
  EXPECT_EQ(Refuse(head).status, 404);
}

TEST_F(RequestJudgeTest, OnlyPostCalls) {
  for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS", "post", "X"}) {
    HttpRequestHead head = Get();
    head.method = method;
    const HttpResponse response = Refuse(head);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.fields, testing::Contains(HttpField{"allow", "POST"}));
    // No word that lets a page of another origin in.
    for (const HttpField& field : response.fields) {
      EXPECT_THAT(field.name, testing::Not(HasSubstr("access-control")));
    }
  }
}

TEST_F(RequestJudgeTest, StreamsOfRequestsAreForGrpc) {
  HttpRequestHead head = Watch();
  head.target = "/vigil.v1.BatchService/RunBatch";
  const HttpResponse response = Refuse(head);
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body, HasSubstr("call it by gRPC"));
}

TEST_F(RequestJudgeTest, AMethodTakesItsOwnContentTypes) {
  for (const char* type :
       {"application/json", "Application/JSON",
        "application/json;charset=utf-8", "application/json; charset=UTF-8"}) {
    EXPECT_EQ(Accept(OfType(Get(), type)).codec, Codec::kJson) << type;
  }
  EXPECT_EQ(Accept(OfType(Get(), "application/proto")).codec, Codec::kProto);
  EXPECT_EQ(Accept(Watch()).codec, Codec::kJson);
  EXPECT_EQ(Accept(OfType(Watch(), "application/connect+proto")).codec,
            Codec::kProto);
}

TEST_F(RequestJudgeTest, NoOtherContentTypeIsTaken) {
  // The first three are what a page may send anywhere without asking first.
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded",
        "multipart/form-data", "", "application/", "application/grpc",
        "application/json;charset=latin1", "application/json; x=y",
        "application/json;", "application/ json", "application/jsonp",
        "application/proto;charset=utf-8", "application/connect+json",
        "application/json, text/plain"}) {
    const HttpResponse response = Refuse(OfType(Get(), type));
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_THAT(response.fields,
                testing::Contains(HttpField{
                    "accept-post", "application/json, application/proto"}));
  }
  EXPECT_EQ(Refuse(OfType(Watch(), "application/json")).status, 415);
  HttpRequestHead none = Get();
  none.fields.pop_back();
  EXPECT_EQ(Refuse(none).status, 415);
}

TEST_F(RequestJudgeTest, ForeignHostsAndOriginsLearnNothing) {
  HttpRequestHead head = With(Get(), "origin", "http://evil.example");
  EXPECT_EQ(Refuse(head).status, 403);
  head.target = "/no";
  EXPECT_EQ(Refuse(head).status, 403);
  head.method = "OPTIONS";
  EXPECT_EQ(Refuse(head).status, 403);
  head = Get();
  head.fields.front().value = "evil.example:8080";
  EXPECT_EQ(Refuse(head).status, 403);
  head.fields.erase(head.fields.begin());
  EXPECT_EQ(Refuse(head).status, 400);
  Accept(With(Get(), "origin", "http://localhost:8080"));
}

TEST_F(RequestJudgeTest, HeadersThatDecideAreThereOnce) {
  for (const char* name : {"host", "content-type", "origin",
                           "connect-timeout-ms", "connect-protocol-version",
                           "content-encoding", "connect-content-encoding"}) {
    const HttpResponse response =
        Refuse(With(With(Get(), name, "1"), name, "1"));
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_THAT(response.body, HasSubstr(name));
  }
}

TEST_F(RequestJudgeTest, TheProtocolsVersionIsOneOrUnsaid) {
  Accept(With(Get(), "connect-protocol-version", "1"));
  for (const char* version : {"", "0", "2", "1.0", "01"}) {
    EXPECT_EQ(Refuse(With(Get(), "connect-protocol-version", version)).status,
              400);
  }
}

TEST_F(RequestJudgeTest, IdentityIsTheOnlyEncoding) {
  Accept(With(Get(), "content-encoding", "identity"));
  Accept(With(Get(), "accept-encoding", "gzip"));
  const HttpResponse response = Refuse(With(Get(), "content-encoding", "gzip"));
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body, HasSubstr("identity"));
  EXPECT_THAT(Refuse(With(Watch(), "connect-content-encoding", "br")).body,
              HasSubstr("identity"));
}

TEST_F(RequestJudgeTest, ATimeoutIsMillisecondsOfAtMostTenDigits) {
  const auto timeout = [&](const char* text) {
    return Accept(With(Get(), "connect-timeout-ms", text)).timeout;
  };
  EXPECT_EQ(timeout("0"), absl::ZeroDuration());
  EXPECT_EQ(timeout("1500"), absl::Milliseconds(1500));
  EXPECT_EQ(timeout("9999999999"), absl::Milliseconds(9999999999));
  for (const char* text :
       {"", "-1", "+1", "1.5", "1s", " 1", "10000000000", "0x10"}) {
    EXPECT_EQ(Refuse(With(Get(), "connect-timeout-ms", text)).status, 400)
        << text;
  }
}

TEST_F(RequestJudgeTest, OnlyVigilsHeadersAreMetadata) {
  const ConnectRequest request = Accept(
      With(With(With(Get(), "vigil-task", "job=j;attempt=1"), "cookie", "a=b"),
           "grpc-timeout", "1S"));
  EXPECT_EQ(request.metadata, (HttpFields{{"vigil-task", "job=j;attempt=1"}}));
}

TEST_F(RequestJudgeTest, RefusesWhatGrpcWouldNotTakeAsMetadata) {
  EXPECT_EQ(Refuse(With(Get(), "vigil-task", "caf\xc3\xa9")).status, 400);
  EXPECT_EQ(Refuse(With(Get(), "vigil-task", "a\tb")).status, 400);
  EXPECT_EQ(Refuse(With(Get(), "vigil-task-bin", "AA")).status, 400);
  EXPECT_EQ(Refuse(With(Get(), "vigil-!", "a")).status, 400);
  HttpRequestHead head = Get();
  for (size_t i = 0; i < kHttpMetadataMax; ++i) {
    head = With(head, absl::StrCat("vigil-", i), "x");
  }
  EXPECT_EQ(Accept(head).metadata.size(), kHttpMetadataMax);
  EXPECT_EQ(Refuse(With(head, "vigil-more", "x")).status, 400);
}

TEST_F(RequestJudgeTest, TakesABodyInChunksAndInNoOtherCoding) {
  for (const char* coding : {"chunked", "Chunked", " chunked\t"}) {
    Accept(With(Get(), "transfer-encoding", coding));
  }
  for (const char* coding :
       {"xchunked", "chunkedx", "identity", "chunked, identity",
        "chunked, chunked", "chunked;q=1", "gzip", "gzip, chunked", "",
        "\x0b"
        "chunked"}) {
    const HttpResponse response =
        Refuse(With(Get(), "transfer-encoding", coding));
    EXPECT_EQ(response.status, 501) << coding;
    EXPECT_THAT(response.body, HasSubstr("transfer-encoding")) << coding;
  }
}

TEST_F(RequestJudgeTest, RefusesABodyWhoseEndIsToldTwice) {
  for (const char* coding : {"chunked", "identity"}) {
    const HttpRequestHead head = With(Get(), "transfer-encoding", coding);
    EXPECT_EQ(Refuse(With(head, "content-length", "2")).status, 400);
    EXPECT_EQ(Refuse(With(head, "transfer-encoding", "chunked")).status, 400);
  }
  EXPECT_EQ(Refuse(With(Get(), "content-length", "2, 2")).status, 400);
  const HttpRequestHead head = With(Get(), "content-length", "2");
  EXPECT_EQ(Refuse(With(head, "content-length", "2")).status, 400);
}

TEST_F(RequestJudgeTest, MeetsNoExpectationButToBeToldToGoOn) {
  Accept(With(Get(), "expect", "100-Continue"));
  for (const char* expectation : {"foo", "", "100-continue, foo"}) {
    EXPECT_EQ(Refuse(With(Get(), "expect", expectation)).status, 417)
        << expectation;
  }
  EXPECT_EQ(Refuse(With(With(Get(), "expect", "100-continue"), "expect", "foo"))
                .status,
            417);
}

TEST_F(RequestJudgeTest, AStreamIsRefusedInItsLastMessage) {
  const HttpResponse response =
      Refuse(With(Watch(), "connect-timeout-ms", "soon"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields,
            (HttpFields{{"content-type", "application/connect+json"}}));
  EXPECT_EQ(response.body[0], 2);
  EXPECT_THAT(response.body, HasSubstr("{\"error\":{\"code\":\"invalid_arg"));
}

}  // namespace
}  // namespace vigil::coordinator
