#include "coordinator/engine/job_id_generator.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vigil::coordinator {
namespace {

constexpr char kDigits[] = "0123456789bcdefghjklmnpqrstvwxyz";
static_assert(sizeof(kDigits) == 33);

void Append(uint64_t value, int digits, std::string* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out->push_back(kDigits[(value >> (5 * i)) & 31]);
  }
}

}  // namespace

JobId JobIdGenerator::Next(absl::Time now) {
  const uint64_t ms =
      std::max(static_cast<uint64_t>(absl::ToUnixMillis(now)), last_ms_);
  constexpr uint64_t kCounterMax = (uint64_t{1} << 30) - 1;
  if (ms > last_ms_ || counter_ == kCounterMax) {
    last_ms_ = ms > last_ms_ ? ms : last_ms_ + 1;
    // The upper half is left to grow into.
    counter_ = random_() & (kCounterMax >> 1);
  } else {
    ++counter_;
  }
  std::string id;
  Append(last_ms_, 9, &id);
  Append(counter_, 6, &id);
  return JobId(std::move(id));
}

}  // namespace vigil::coordinator
