// Backoff: how long to wait before the next try at something that failed, and
// when to give up. A pure value: time and randomness are handed in.
// Thread-compatible.
#ifndef VIGIL_CLIENT_CC_BACKOFF_H_
#define VIGIL_CLIENT_CC_BACKOFF_H_

#include <optional>

#include "absl/time/time.h"
#include "client/cc/limits.h"

namespace vigil::client {

struct BackoffOptions {
  // The first wait.
  absl::Duration initial_interval = absl::Milliseconds(100);
  // Factor between waits.
  double coefficient = 2;
  // The longest wait.
  absl::Duration maximum_interval = kRetryIntervalMax;
  // Each wait is multiplied by a random factor in [1 - jitter, 1 + jitter], so
  // that the clients of a coordinator do not all come back at once.
  double jitter = 0.2;
  // No try starts later than this after the first failure. Zero: never try
  // again.
  absl::Duration give_up_after = kReconnectForDefault;
};

class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options) : options_(options) {}

  // Records a failure at `now` and returns the wait before the next try;
  // nullopt to give up. `pushback` is what the server asked for: it replaces
  // the wait, and a negative one asks not to try again. `random` is uniform in
  // [0, 1).
  std::optional<absl::Duration> Next(absl::Time now,
                                     std::optional<absl::Duration> pushback,
                                     double random);

  // Records a success: the next failure is a first one.
  void Reset() {
    interval_ = absl::ZeroDuration();
    first_failure_.reset();
  }

 private:
  BackoffOptions options_;
  absl::Duration interval_;
  std::optional<absl::Time> first_failure_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BACKOFF_H_
