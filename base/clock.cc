#include "base/clock.h"

#include <time.h>

#include <algorithm>

#include "absl/time/clock.h"

namespace vigil {

absl::Duration BoottimeNow() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return absl::DurationFromTimespec(ts);
}

Clock::Clock(absl::Time not_before)
    : anchor_(std::max(absl::Now(), not_before) - BoottimeNow()) {}

absl::Time Clock::Now() const { return anchor_ + BoottimeNow(); }

}  // namespace vigil
