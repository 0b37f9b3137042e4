// TopRates: how fast a coordinator works, from its successive statuses.
// Thread-compatible; time is handed in. Owns what it remembers of the last
// status: one record for each attempt that runs.
#ifndef VIGIL_CLIENT_CLI_TOP_RATES_H_
#define VIGIL_CLIENT_CLI_TOP_RATES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "client/cli/rate_meter.h"
#include "vigil/v1/status_service.pb.h"
#include "vigil/v1/worker.pb.h"

namespace vigil::cli {

class TopRates {
 public:
  // Records what the coordinator said at `now`, which does not go back. Another
  // epoch begins anew.
  void Record(const v1::GetStatusResponse& status, absl::Time now);

  // Whether there are two statuses to compare.
  bool known() const { return records_ > 1; }

  // Jobs that ended, and tokens of attempts that run, per second over the last
  // kRateWindow; 0 before two statuses were recorded.
  double jobs_per_second() const { return jobs_.PerSecond(); }
  double tokens_per_second() const { return tokens_.PerSecond(); }

  // Tokens per second of the attempt in this slot; 0 while it is not known.
  double TokensPerSecond(const v1::Slot& slot) const;

 private:
  // A job and the number of its attempt.
  using Key = std::pair<std::string, int>;
  struct Attempt {
    int64_t tokens = 0;
    RateMeter rate;
  };

  static Key KeyOf(const v1::Slot& slot) {
    return {slot.job_id(), slot.attempt().number()};
  }

  int64_t epoch_ = 0;
  int64_t records_ = 0;
  // Tokens seen so far; those of an attempt after its last status are not.
  int64_t tokens_seen_ = 0;
  RateMeter jobs_;
  RateMeter tokens_;
  std::map<Key, Attempt> attempts_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TOP_RATES_H_
