// RequestJudge: what a request of the Connect protocol asks for, or why it gets
// nothing, by its line and headers alone, before its body is read. Thread-safe
// once made; owns nothing of what it is given.
#ifndef VIGIL_COORDINATOR_HTTP_REQUEST_JUDGE_H_
#define VIGIL_COORDINATOR_HTTP_REQUEST_JUDGE_H_

#include <google/protobuf/descriptor.h>

#include <optional>

#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "coordinator/http/host_judge.h"
#include "coordinator/http/http_message.h"
#include "coordinator/http/method_table.h"
#include "coordinator/http/transcoder.h"

namespace vigil::coordinator {

// An RPC that may begin when its message is there.
struct ConnectRequest {
  const google::protobuf::MethodDescriptor* method = nullptr;
  Codec codec = Codec::kJson;
  // From now on; unset: for ever.
  std::optional<absl::Duration> timeout;
  // What goes on to gRPC: headers that begin with "vigil-". Others mean nothing
  // to a coordinator.
  HttpFields metadata;
};

class RequestJudge {
 public:
  RequestJudge(const MethodTable* methods, const HostJudge* hosts)
      : methods_(methods), hosts_(hosts) {}

  // Returns the request, or the answer that refuses it.
  absl::variant<ConnectRequest, HttpResponse> Judge(
      const HttpRequestHead& head) const;

 private:
  const MethodTable* const methods_;
  const HostJudge* const hosts_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_REQUEST_JUDGE_H_
