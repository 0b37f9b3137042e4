// Proves that an unreachable coordinator is told so that a person knows what
// was tried and what to do.
#include "client/cli/connection.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() { connection_.AddTo(&flags_); }

  absl::Status Resolve(const std::vector<std::string>& arguments) {
    EXPECT_TRUE(flags_.Parse(arguments).ok());
    return connection_.Resolve(environment_);
  }

  const client::TestDir dir_;
  Environment environment_;
  FlagSet flags_{FlagSet::Positionals::kAnywhere};
  Connection connection_;
};

TEST_F(ConnectionTest, SaysWhereFromTheAddressIsAndThatNobodyListens) {
  ASSERT_TRUE(Resolve({"--address=unix:/no/such/socket"}).ok());
  const std::string line =
      connection_.Explain(absl::UnavailableError("whatever"));
  EXPECT_THAT(line, HasSubstr("unix:/no/such/socket (given by --address)"));
  EXPECT_THAT(line, HasSubstr("nobody listens there"));
  EXPECT_THAT(line, HasSubstr("coordinator --listen=unix:/no/such/socket"));
}

TEST_F(ConnectionTest, KeepsTheReasonOfATcpConnection) {
  environment_.variables["VIGIL_ADDRESS"] = "localhost:1";
  ASSERT_TRUE(Resolve({}).ok());
  const std::string line =
      connection_.Explain(absl::UnavailableError("connection refused"));
  EXPECT_THAT(line, HasSubstr("localhost:1 (given by VIGIL_ADDRESS)"));
  EXPECT_THAT(line, HasSubstr("connection refused"));
}

TEST_F(ConnectionTest, OtherErrorsAreCodeAndMessage) {
  ASSERT_TRUE(Resolve({}).ok());
  EXPECT_EQ(connection_.Explain(absl::NotFoundError("no job `j`")),
            "NOT_FOUND: no job `j`");
}

TEST_F(ConnectionTest, RefusesAnAddressWithoutForm) {
  EXPECT_EQ(Resolve({"--address=nonsense"}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConnectionTest, NothingRunsOnlyAtASilentDefaultAddress) {
  environment_.variables["XDG_RUNTIME_DIR"] = dir_.path();
  ASSERT_TRUE(Resolve({}).ok());
  EXPECT_TRUE(connection_.NothingRuns());
  ASSERT_TRUE(Resolve({"--address=unix:/no/such/socket"}).ok());
  EXPECT_FALSE(connection_.NothingRuns());
}

TEST_F(ConnectionTest, SomethingRunsWhereSomebodyListens) {
  const std::string directory = absl::StrCat(dir_.path(), "/vigil");
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  client::FakeCoordinator fake;
  fake.Start(absl::StrCat("unix:", directory, "/vigil.sock"));
  environment_.variables["XDG_RUNTIME_DIR"] = dir_.path();
  ASSERT_TRUE(Resolve({}).ok());
  EXPECT_FALSE(connection_.NothingRuns());
  // One that answers with an error is not taken for one that is not there.
  EXPECT_EQ(connection_.Explain(absl::UnavailableError("stopping")),
            "UNAVAILABLE: stopping");
}

}  // namespace
}  // namespace vigil::cli
