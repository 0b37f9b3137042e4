#include "tests/sim/host_clock.h"

namespace vigil::sim {
namespace {

constexpr int64_t kMillion = 1'000'000;

// Rounds down, so that a clock that runs never goes back.
int64_t Scale(int64_t value, int64_t numerator, int64_t denominator) {
  const __int128 product = static_cast<__int128>(value) * numerator;
  const __int128 quotient = product / denominator;
  return static_cast<int64_t>(product % denominator < 0 ? quotient - 1
                                                        : quotient);
}

}  // namespace

absl::Time HostClock::Shows(absl::Time time) const {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return time;
  }
  const int64_t elapsed_ns = absl::ToInt64Nanoseconds(time - kStart);
  return kStart + options_.offset +
         absl::Nanoseconds(
             Scale(elapsed_ns, kMillion + options_.error_ppm, kMillion));
}

absl::Time HostClock::When(absl::Time shown) const {
  if (shown == absl::InfiniteFuture() || shown == absl::InfinitePast()) {
    return shown;
  }
  const int64_t shown_ns =
      absl::ToInt64Nanoseconds(shown - kStart - options_.offset);
  // At most two too early, by the rounding down here and there.
  absl::Time time =
      kStart + absl::Nanoseconds(
                   Scale(shown_ns, kMillion, kMillion + options_.error_ppm));
  while (Shows(time) < shown) time += absl::Nanoseconds(1);
  return time;
}

absl::Duration HostClock::Shortest(absl::Duration time) {
  return time * kMillion / (kMillion + kErrorPpmMax) - absl::Nanoseconds(2);
}

absl::Duration HostClock::Longest(absl::Duration time) {
  return time * kMillion / (kMillion - kErrorPpmMax) + absl::Nanoseconds(2);
}

}  // namespace vigil::sim
