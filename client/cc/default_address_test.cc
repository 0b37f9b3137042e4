// Proves which address is used and which forms one has, by value alone.
#include "client/cc/default_address.h"

#include "gtest/gtest.h"

namespace vigil::client {
namespace {

TEST(ResolveAddress, PrefersFlagThenEnvironmentThenRuntimeDirThenTmp) {
  AddressSources sources{.flag = "localhost:1",
                         .vigil_address = "localhost:2",
                         .xdg_runtime_dir = "/run/user/7",
                         .uid = 7};
  EXPECT_EQ(ResolveAddress(sources)->text, "localhost:1");
  EXPECT_EQ(ResolveAddress(sources)->origin, Address::Origin::kFlag);
  sources.flag.clear();
  EXPECT_EQ(ResolveAddress(sources)->text, "localhost:2");
  EXPECT_EQ(ResolveAddress(sources)->origin, Address::Origin::kEnvironment);
  sources.vigil_address.clear();
  EXPECT_EQ(ResolveAddress(sources)->text, "unix:/run/user/7/vigil/vigil.sock");
  EXPECT_EQ(ResolveAddress(sources)->origin, Address::Origin::kDefault);
  sources.xdg_runtime_dir = "relative";
  EXPECT_EQ(ResolveAddress(sources)->text, "unix:/tmp/vigil-7/vigil.sock");
}

TEST(CheckAddress, AcceptsSocketsAndHostsWithPort) {
  EXPECT_TRUE(CheckAddress("unix:/a").ok());
  EXPECT_TRUE(CheckAddress("127.0.0.1:7070").ok());
  EXPECT_TRUE(CheckAddress("[::1]:7070").ok());
}

TEST(CheckAddress, RefusesOtherForms) {
  for (const char* address :
       {"", "unix:", "unix:relative", "host", "host:", ":1", "host:0",
        "host:65536", "http://host:80", "dns:///host:1"}) {
    EXPECT_EQ(CheckAddress(address).code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

TEST(CheckAddress, RefusesSocketPathAboveTheSystemsLimit) {
  const std::string longest = "unix:/" + std::string(106, 'a');
  EXPECT_TRUE(CheckAddress(longest).ok());
  const absl::Status status = CheckAddress(longest + "a");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("108"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace vigil::client
