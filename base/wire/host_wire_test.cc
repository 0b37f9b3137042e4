// Proves that what a worker says of its host survives the way to the
// coordinator, also from a worker of an earlier release.
#include "base/wire/host_wire.h"

#include <string>

#include "gtest/gtest.h"

namespace vigil {
namespace {

TEST(HostWireTest, HostAndFilterSurviveTheWay) {
  const HostLoad host{1.5, 4, 1 << 20, 1 << 30, 312, 84, {"a", "b"}};
  v1::Heartbeat heartbeat;
  ToProto(host, heartbeat.mutable_host());
  EXPECT_EQ(HostOf(heartbeat), host);
  const NestingFilter filter{NestingFilter::State::kUnavailable, "why"};
  v1::NestingFilter proto;
  ToProto(filter, &proto);
  EXPECT_EQ(proto.state(), v1::NestingFilter::STATE_UNAVAILABLE);
  EXPECT_EQ(FromProto(proto), filter);
}

TEST(HostWireTest, AnOldWorkersHeartbeatIsRead) {
  v1::Heartbeat heartbeat;
  heartbeat.set_load_average(2.5);
  heartbeat.set_memory_available_bytes(7);
  HostLoad host;
  host.load_average = 2.5;
  host.memory_available_bytes = 7;
  EXPECT_EQ(HostOf(heartbeat), host);
}

TEST(HostWireTest, CutsWhatIsTooMuch) {
  v1::HostLoad proto;
  for (int i = 0; i < 17; ++i) proto.add_stress(std::string(257, 'x'));
  const HostLoad host = FromProto(proto);
  EXPECT_EQ(host.stress.size(), 16u);
  EXPECT_LE(host.stress[0].size(), 256u);
  v1::NestingFilter filter;
  filter.set_problem(std::string(1025, 'x'));
  EXPECT_LE(FromProto(filter).problem.size(), 1024u);
}

}  // namespace
}  // namespace vigil
