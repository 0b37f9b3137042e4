#include "client/cc/backoff.h"

#include <algorithm>

namespace vigil::client {

std::optional<absl::Duration> Backoff::Next(
    absl::Time now, std::optional<absl::Duration> pushback, double random) {
  if (!first_failure_.has_value()) first_failure_ = now;
  interval_ = interval_ == absl::ZeroDuration()
                  ? options_.initial_interval
                  : std::min(interval_ * options_.coefficient,
                             options_.maximum_interval);
  absl::Duration wait =
      interval_ * (1 - options_.jitter + 2 * options_.jitter * random);
  if (pushback.has_value()) {
    if (*pushback < absl::ZeroDuration() || *pushback > kPushbackMax) {
      return std::nullopt;
    }
    wait = *pushback;
  }
  const absl::Time give_up = *first_failure_ + options_.give_up_after;
  if (now >= give_up) return std::nullopt;
  // The last try falls on the end of the time, not before it.
  return std::min(wait, give_up - now);
}

}  // namespace vigil::client
