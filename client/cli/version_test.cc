// Proves what `vigil version` says, with and without a coordinator. The program
// runs for real against a scripted one.
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/build_version.h"
#include "client/cli/files.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class VersionTest : public VigilFixture {
 protected:
  VersionTest() {
    fake_.on_status = [](auto* response) {
      response->set_build("9.9");
      response->set_epoch(3);
      return grpc::Status::OK;
    };
  }

  const std::string own_ =
      absl::StrCat("vigil ", kBuildVersion, ", API vigil.v1\n");
};

TEST_F(VersionTest, SaysThatOfTheCoordinatorToo) {
  fake_.Start(address_);
  VigilProcess version = Start({"version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_EQ(version.out(),
            absl::StrCat(own_, "coordinator 9.9, epoch 3, at ", address_,
                         " (given by VIGIL_ADDRESS)\n"));
  VigilProcess json = Start({"version", "-ojson"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_EQ(json.out(),
            absl::StrCat("{\"client\":{\"build\":\"", kBuildVersion,
                         "\",\"api\":\"vigil.v1\"},\"coordinator\":{"
                         "\"address\":\"",
                         address_, "\",\"build\":\"9.9\",\"epoch\":3}}\n"));
}

TEST_F(VersionTest, IsKnownWithoutACoordinator) {
  VigilProcess version = Start({"version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.out(), StartsWith(own_));
  EXPECT_THAT(version.out(), HasSubstr("nobody listens there"));
  VigilProcess json = Start({"version", "-ojson"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_THAT(json.out(), HasSubstr("\"error\":\"cannot reach"));
}

TEST_F(VersionTest, IsKnownWhereNoCoordinatorCanBeNamed) {
  VigilProcess bogus = Start({"version", "--address=nonsense"});
  EXPECT_EQ(bogus.Wait(), 0);
  EXPECT_THAT(bogus.out(), StartsWith(own_ + "coordinator: "));
  EXPECT_THAT(bogus.out(), HasSubstr("nonsense"));
  ASSERT_EQ(mkdir((dir_.path() + "/vigil").c_str(), 0700), 0);
  const std::string file = dir_.path() + "/vigil/config.json";
  ASSERT_TRUE(WriteFile(file, "{\n  nonsense\n").ok());
  VigilProcess damaged = Start({"version", "--context=prod"});
  EXPECT_EQ(damaged.Wait(), 0);
  EXPECT_THAT(damaged.out(), StartsWith(own_ + "coordinator: " + file + ":2:"));
  VigilProcess json = Start({"version", "--context=prod", "-ojson"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_THAT(json.out(), HasSubstr("\"error\":\"" + file + ":2:"));
}

TEST_F(VersionTest, OfTheClientAloneAsksNobody) {
  // Not even for an address that makes sense.
  VigilProcess version = Start({"version", "--client", "--address=nonsense"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_EQ(version.out(), own_);
  VigilProcess json = Start({"version", "--client", "-ojson"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_EQ(json.out(), absl::StrCat("{\"client\":{\"build\":\"", kBuildVersion,
                                     "\",\"api\":\"vigil.v1\"}}\n"));
}

}  // namespace
}  // namespace vigil::cli
