// MethodPath: what gRPC calls the method that takes a message. A pure function,
// thread-safe.
#ifndef VIGIL_CLIENT_CC_METHOD_PATH_H_
#define VIGIL_CLIENT_CC_METHOD_PATH_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace vigil::client {

// Returns for example "/vigil.v1.JobService/GetJob" for GetJobRequest.
// Precondition: a method in the file of `request` takes it; each of Vigil's
// requests is of one method.
std::string MethodPath(const google::protobuf::Descriptor& request);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_METHOD_PATH_H_
