// AwaitAnswer: makes a call, and lets a signal end the wait for its answer.
// Main thread only; blocks. The client is borrowed, and may go away meanwhile.
#ifndef VIGIL_CLIENT_CLI_AWAIT_ANSWER_H_
#define VIGIL_CLIENT_CLI_AWAIT_ANSWER_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/client.h"
#include "client/cli/event_queue.h"

namespace vigil::cli {

// The answer of one of the unary calls of `client`.
//
// - CANCELLED: a signal came first; `signal`, else left as it is, says which.
// - Others: as Client::Call.
template <typename Request>
absl::StatusOr<client::ResponseTo<Request>> AwaitAnswer(
    client::Client* client, Request request, EventQueue* events, int* signal,
    client::CallOptions options = {}) {
  using Answer = absl::StatusOr<client::ResponseTo<Request>>;
  // Shared: the answer may come when nobody waits for it any more.
  auto answer = std::make_shared<std::optional<Answer>>();
  client->Call(
      std::move(request),
      [answer, events](Answer came) {
        events->Post(
            [answer, came = std::move(came)] { answer->emplace(came); });
      },
      options);
  while (!answer->has_value() && *signal == 0) {
    *signal = events->Wait(absl::InfiniteDuration()).signal;
  }
  if (!answer->has_value()) return absl::CancelledError("left by a signal");
  return *std::move(*answer);
}

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_AWAIT_ANSWER_H_
