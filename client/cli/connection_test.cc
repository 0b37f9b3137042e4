// Proves that an unreachable coordinator is told so that a person knows what
// was tried and what to do.
#include "client/cli/connection.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "client/cli/config_file.h"
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

// Contexts `a` and `b`, of which `b` is the current one.
class ContextOrderTest : public ConnectionTest {
 protected:
  ContextOrderTest() {
    environment_.variables["XDG_CONFIG_HOME"] = dir_.path();
    EXPECT_TRUE(ConfigFile::Of(environment_)
                    .Change([](Config* config) {
                      Config::Context* a = config->add_contexts();
                      a->set_name("a");
                      a->set_address("a:1");
                      a->set_namespace_("na");
                      Config::Context* b = config->add_contexts();
                      b->set_name("b");
                      b->set_address("b:1");
                      b->set_namespace_("nb");
                      config->add_contexts()->set_name("c");
                      config->set_current("b");
                      return absl::OkStatus();
                    })
                    .ok());
  }

  // "address namespace context"
  std::string Chosen(const std::vector<std::string>& arguments,
                     const std::string& vigil_address = "",
                     const std::string& vigil_context = "") {
    environment_.variables["VIGIL_ADDRESS"] = vigil_address;
    environment_.variables["VIGIL_CONTEXT"] = vigil_context;
    FlagSet flags(FlagSet::Positionals::kAnywhere);
    Connection connection;
    connection.AddTo(&flags);
    EXPECT_TRUE(flags.Parse(arguments).ok());
    const absl::Status status = connection.Resolve(environment_);
    EXPECT_TRUE(status.ok()) << status;
    return absl::StrCat(connection.address(), " ",
                        connection.default_namespace(), " ",
                        connection.context());
  }
};

TEST_F(ContextOrderTest, WhatIsTypedPrecedesTheEnvironmentAndThatTheFile) {
  EXPECT_EQ(Chosen({}), "b:1 nb b");
  EXPECT_EQ(Chosen({}, "", "a"), "a:1 na a");
  EXPECT_EQ(Chosen({}, "e:1", ""), "e:1  ");
  EXPECT_EQ(Chosen({}, "e:1", "a"), "e:1 na a");
  EXPECT_EQ(Chosen({"--context=b"}, "e:1", "a"), "b:1 nb b");
  EXPECT_EQ(Chosen({"--address=f:1"}, "e:1", ""), "f:1  ");
  EXPECT_EQ(Chosen({"--address=f:1", "--context=b"}, "e:1", "a"), "f:1 nb b");
}

TEST_F(ContextOrderTest, AContextWithoutAnAddressLeavesItOpen) {
  environment_.variables["XDG_RUNTIME_DIR"] = "/r";
  EXPECT_EQ(Chosen({"--context=c"}), "unix:/r/vigil/vigil.sock  c");
  EXPECT_EQ(Chosen({"--context=c"}, "e:1"), "e:1  c");
}

TEST_F(ContextOrderTest, AContextsAddressIsNotTheDefaultOne) {
  ASSERT_TRUE(Resolve({"--context=a"}).ok());
  EXPECT_FALSE(connection_.NothingRuns());
  EXPECT_EQ(connection_.OriginText(),
            "that of context `a`, given by --context");
}

TEST_F(ContextOrderTest, AnUnknownOneIsNotFoundAndTheNearestNamed) {
  const absl::Status status = Resolve({"--context=aa"});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no context `aa` (given by --context)"));
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
