#include "base/wire/host_wire.h"

#include <algorithm>

#include "base/utf8.h"

namespace vigil {
namespace {

// There are three kinds of stress now, each a few words.
constexpr int kStressMax = 16;
constexpr size_t kStressBytesMax = 256;
// A sentence.
constexpr size_t kProblemBytesMax = 1024;

}  // namespace

void ToProto(const HostLoad& host, v1::HostLoad* proto) {
  proto->set_load_average(host.load_average);
  proto->set_cpus(host.cpus);
  proto->set_memory_available_bytes(host.memory_available_bytes);
  proto->set_memory_total_bytes(host.memory_total_bytes);
  proto->set_threads(host.threads);
  proto->set_processes(host.processes);
  for (const std::string& stress : host.stress) proto->add_stress(stress);
}

HostLoad FromProto(const v1::HostLoad& proto) {
  HostLoad host;
  host.load_average = proto.load_average();
  host.cpus = proto.cpus();
  host.memory_available_bytes = proto.memory_available_bytes();
  host.memory_total_bytes = proto.memory_total_bytes();
  host.threads = proto.threads();
  host.processes = proto.processes();
  for (int i = 0; i < std::min(proto.stress_size(), kStressMax); ++i) {
    host.stress.push_back(ToUtf8(proto.stress(i), kStressBytesMax));
  }
  return host;
}

HostLoad HostOf(const v1::Heartbeat& heartbeat) {
  if (heartbeat.has_host()) return FromProto(heartbeat.host());
  HostLoad host;
  host.load_average = heartbeat.load_average();
  host.memory_available_bytes = heartbeat.memory_available_bytes();
  return host;
}

void ToProto(const NestingFilter& filter, v1::NestingFilter* proto) {
  proto->set_state(static_cast<v1::NestingFilter::State>(filter.state));
  proto->set_problem(filter.problem);
}

NestingFilter FromProto(const v1::NestingFilter& proto) {
  return {static_cast<NestingFilter::State>(proto.state()),
          ToUtf8(proto.problem(), kProblemBytesMax)};
}

}  // namespace vigil
