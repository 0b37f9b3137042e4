// ClientOptions and CallOptions: how a client, and each of its calls, waits and
// tries again; Callback: how a call tells its end. Values, thread-compatible. A
// callback is owned by its call until it has been called.
#ifndef VIGIL_CLIENT_CC_CALL_OPTIONS_H_
#define VIGIL_CLIENT_CC_CALL_OPTIONS_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/backoff.h"
#include "client/cc/limits.h"

namespace vigil::client {

struct ClientOptions {
  // How broken streams, and calls with retry_for, are tried again.
  BackoffOptions backoff;
};

struct CallOptions {
  // Of each try; must be positive. DEADLINE_EXCEEDED when it is over.
  absl::Duration timeout = kCallTimeoutDefault;
  // How long the call is tried again after UNAVAILABLE, or after
  // RESOURCE_EXHAUSTED with a time to come back. Submissions are repeated only
  // if each of their jobs has a request_id, which makes that safe.
  absl::Duration retry_for = absl::ZeroDuration();
};

// Called exactly once: with the answer, or with the status of the call, whose
// codes are documented with each method in proto/vigil/v1.
template <typename Response>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CALL_OPTIONS_H_
