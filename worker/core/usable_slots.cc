#include "worker/core/usable_slots.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "worker/core/limits.h"

namespace vigil::worker {
namespace {

std::string CauseOf(const AttemptId& attempt, const Failure& failure) {
  const std::string_view message = failure.message;
  const std::string_view line = message.substr(0, message.find('\n'));
  return absl::StrCat(
      "attempt ", attempt.number, " of job ", attempt.job_id.value(), " ended ",
      ReasonName(failure.reason), ": ", ToUtf8(line, kUsableCauseBytesMax));
}

}  // namespace

void UsableSlots::UseAll() {
  lowered_.reset();
  give_back_time_ = absl::InfiniteFuture();
}

void UsableSlots::SetSlots(int slots) {
  slots_ = slots;
  if (lowered_.has_value() && lowered_->slots >= slots_) UseAll();
}

void UsableSlots::Exhausted(const AttemptId& attempt, absl::Time begin,
                            const Failure& failure, absl::Time now) {
  if (lowered_.has_value()) give_back_time_ = now + kQuietForSlot;
  if (begin < halving_time_) return;
  halving_time_ = now;
  const int half = std::max(1, count() / 2);
  if (half >= slots_) return;
  lowered_ = LoweredSlots{half, CauseOf(attempt, failure)};
  give_back_time_ = now + kQuietForSlot;
}

void UsableSlots::Tick(absl::Time now) {
  while (give_back_time_ <= now) {
    give_back_time_ += kQuietForSlot;
    if (++lowered_->slots >= slots_) UseAll();
  }
}

}  // namespace vigil::worker
