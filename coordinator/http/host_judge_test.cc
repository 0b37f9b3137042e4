// Proves which Host and Origin headers let a request in: those of this
// coordinator, and nothing that a web page of somebody else's can send.
#include "coordinator/http/host_judge.h"

#include <gtest/gtest.h>

namespace vigil::coordinator {
namespace {

TEST(HostJudgeTest, TakesItsAddressAndLoopbacksNamesWithItsPort) {
  const HostJudge judge({"127.0.0.2:8080"}, {});
  for (const char* host : {"127.0.0.2:8080", "localhost:8080", "LocalHost:8080",
                           "127.0.0.1:8080", "[::1]:8080"}) {
    EXPECT_TRUE(judge.CheckHost(host).ok()) << host;
  }
}

TEST(HostJudgeTest, RefusesEveryOtherNamePortAndShape) {
  const HostJudge judge({"127.0.0.1:8080"}, {});
  for (const char* host : {"",
                           ":8080",
                           "localhost",
                           "localhost:",
                           "localhost:80",
                           "localhost:8081",
                           "localhost:08080",
                           "evil.example:8080",
                           "localhost.evil.example:8080",
                           "localhost:8080.evil.example",
                           "localhost:8080:8080",
                           "localhost.:8080",
                           " localhost:8080",
                           "localhost:8080 ",
                           "user@localhost:8080",
                           "::1:8080",
                           "[::1]",
                           "[::1]:8081",
                           "10.0.0.1:8080",
                           "0.0.0.0:8080",
                           "127.1:8080"}) {
    EXPECT_EQ(judge.CheckHost(host).code(), absl::StatusCode::kPermissionDenied)
        << host;
  }
}

TEST(HostJudgeTest, PortEightyNeedNotBeSaid) {
  const HostJudge judge({"127.0.0.1:80"}, {});
  EXPECT_TRUE(judge.CheckHost("localhost").ok());
  EXPECT_TRUE(judge.CheckHost("localhost:80").ok());
  EXPECT_TRUE(judge.CheckHost("[::1]").ok());
  EXPECT_FALSE(judge.CheckHost("localhost:8080").ok());
}

TEST(HostJudgeTest, OneThatListensOnAllAddressesTakesEachButNoNames) {
  for (const char* all : {"0.0.0.0:8080", "[::]:8080"}) {
    const HostJudge judge({all}, {});
    EXPECT_TRUE(judge.CheckHost("10.0.0.1:8080").ok());
    EXPECT_TRUE(judge.CheckHost("[fe80::1]:8080").ok());
    EXPECT_FALSE(judge.CheckHost("10.0.0.1:8081").ok());
    EXPECT_FALSE(judge.CheckHost("[fe80::1:8080").ok());
    EXPECT_FALSE(judge.CheckHost("10.0.0.1.evil.example:8080").ok());
    EXPECT_FALSE(judge.CheckHost("vigil.svc:8080").ok());
  }
}

TEST(HostJudgeTest, TakesNamesThatItWasGivenWithTheirPorts) {
  const HostJudge judge({"0.0.0.0:8080"}, {"Vigil.svc", "vigil.example:443"});
  EXPECT_TRUE(judge.CheckHost("vigil.svc").ok());
  EXPECT_TRUE(judge.CheckHost("VIGIL.example:443").ok());
  EXPECT_FALSE(judge.CheckHost("vigil.svc:8080").ok());
  EXPECT_FALSE(judge.CheckHost("vigil.example").ok());
}

TEST(HostJudgeTest, AnOriginMustBeTheHostsOwn) {
  EXPECT_TRUE(
      HostJudge::CheckOrigin("http://localhost:8080", "localhost:8080").ok());
  EXPECT_TRUE(
      HostJudge::CheckOrigin("https://LOCALHOST:8080", "localhost:8080").ok());
  for (const char* origin :
       {"", "null", "localhost:8080", "http://localhost", "file://",
        "http://localhost:80", "http://localhost:8080/",
        "http://localhost:8080.evil.example", "http://127.0.0.1:8080",
        "http://evil.example", "ftp://localhost:8080"}) {
    EXPECT_EQ(HostJudge::CheckOrigin(origin, "localhost:8080").code(),
              absl::StatusCode::kPermissionDenied)
        << origin;
  }
}

}  // namespace
}  // namespace vigil::coordinator
