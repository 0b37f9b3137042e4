// What a worker says of its host, between the protos and plain values.
// Functions, thread-safe; they own nothing.
#ifndef VIGIL_BASE_WIRE_HOST_WIRE_H_
#define VIGIL_BASE_WIRE_HOST_WIRE_H_

#include "base/host.h"
#include "vigil/v1/dispatch_service.pb.h"
#include "vigil/v1/worker.pb.h"

namespace vigil {

void ToProto(const HostLoad& host, v1::HostLoad* proto);
// Texts are cut to their bounds.
HostLoad FromProto(const v1::HostLoad& proto);

// The host of a heartbeat. One of a worker of an earlier release tells less.
HostLoad HostOf(const v1::Heartbeat& heartbeat);

void ToProto(const NestingFilter& filter, v1::NestingFilter* proto);
NestingFilter FromProto(const v1::NestingFilter& proto);

}  // namespace vigil

#endif  // VIGIL_BASE_WIRE_HOST_WIRE_H_
