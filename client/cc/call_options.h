// ClientOptions and CallOptions: how a client, and each of its calls, waits and
// tries again; Callback: how a call tells its end. Values, thread-compatible. A
// callback is owned by its call until it has been called.
#ifndef VIGIL_CLIENT_CC_CALL_OPTIONS_H_
#define VIGIL_CLIENT_CC_CALL_OPTIONS_H_

#include <type_traits>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/awaitable.h"
#include "client/cc/backoff.h"
#include "client/cc/limits.h"

namespace vigil::client {

struct ClientOptions {
  // How broken streams, and calls with retry_for, are tried again.
  BackoffOptions backoff;
  // Where coroutines go on that await a call or an event. None: on the thread
  // of the library that brought it, or on their own where it came at once.
  Executor executor;
};

struct CallOptions {
  // Of each try; must be positive. DEADLINE_EXCEEDED when it is over.
  absl::Duration timeout = kCallTimeoutDefault;
  // How long the call is tried again after UNAVAILABLE, or after
  // RESOURCE_EXHAUSTED with a time to come back: after the time that the server
  // asks for, else with backoff. To make that safe, a request that makes
  // something is given a request_id if it has none; an AddItemsRequest without
  // first_index is sent once.
  absl::Duration retry_for = absl::ZeroDuration();
  // When the call is over at the latest, with all its tries. DEADLINE_EXCEEDED.
  // Counted from the call on by a clock that nobody sets.
  absl::Time deadline = absl::InfiniteFuture();
};
// GCC 12 frees temporary aggregates within co_await twice.
static_assert(std::is_trivially_destructible_v<CallOptions>);

// Called exactly once: with the answer, or with the status of the call, whose
// codes are documented with each method in proto/vigil/v1.
template <typename Response>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CALL_OPTIONS_H_
