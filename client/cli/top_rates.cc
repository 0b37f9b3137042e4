#include "client/cli/top_rates.h"

#include <algorithm>

#include "client/cli/format.h"

namespace vigil::cli {

void TopRates::Record(const v1::GetStatusResponse& status, absl::Time now) {
  if (status.epoch() != epoch_) *this = TopRates();
  epoch_ = status.epoch();
  const bool first = records_++ == 0;
  int64_t ended = 0;
  for (const auto& count : status.states()) {
    if (IsFinal(count.state())) ended += count.jobs();
  }
  jobs_.Record(now, ended);

  std::map<Key, Attempt> running;
  for (const v1::Worker& worker : status.workers()) {
    for (const v1::Slot& slot : worker.slots()) {
      if (slot.state() != v1::Slot::STATE_BUSY) continue;
      const Key key = KeyOf(slot);
      auto node = attempts_.extract(key);
      Attempt attempt = node.empty() ? Attempt() : std::move(node.mapped());
      const int64_t tokens = slot.attempt().tokens();
      // What came before the first status was seen by nobody.
      if (!first) tokens_seen_ += std::max<int64_t>(0, tokens - attempt.tokens);
      attempt.tokens = tokens;
      attempt.rate.Record(now, tokens);
      running.insert_or_assign(key, std::move(attempt));
    }
  }
  attempts_ = std::move(running);
  tokens_.Record(now, tokens_seen_);
}

double TopRates::TokensPerSecond(const v1::Slot& slot) const {
  auto found = attempts_.find(KeyOf(slot));
  return found == attempts_.end() ? 0 : found->second.rate.PerSecond();
}

}  // namespace vigil::cli
