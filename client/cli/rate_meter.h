// RateMeter: how many things per second were done lately. Thread-compatible;
// time is handed in.
#ifndef VIGIL_CLIENT_CLI_RATE_METER_H_
#define VIGIL_CLIENT_CLI_RATE_METER_H_

#include <cstdint>
#include <deque>
#include <utility>

#include "absl/time/time.h"
#include "client/cli/limits.h"

namespace vigil::cli {

class RateMeter {
 public:
  // Records that `done` things were done in all at `now`, which does not go
  // back.
  void Record(absl::Time now, int64_t done) {
    samples_.emplace_back(now, done);
    // The oldest sample kept is the last one at or before the window's start.
    while (samples_.size() > 2 && now - samples_[1].first >= kRateWindow) {
      samples_.pop_front();
    }
  }

  // Per second over the window, or since the first record; 0 before there are
  // two at different times.
  double PerSecond() const {
    if (samples_.size() < 2) return 0;
    const double seconds =
        absl::ToDoubleSeconds(samples_.back().first - samples_.front().first);
    const auto done =
        static_cast<double>(samples_.back().second - samples_.front().second);
    return seconds > 0 ? done / seconds : 0;
  }

 private:
  std::deque<std::pair<absl::Time, int64_t>> samples_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_RATE_METER_H_
