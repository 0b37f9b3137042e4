#include "coordinator/rpc/write_budget.h"

#include <utility>

namespace vigil::coordinator {

WriteBudget::Claim::~Claim() {
  if (held_.has_value()) {
    budget_->held_.erase(*held_);
    budget_->held_bytes_ -= bytes_;
    budget_->Grant();
  } else if (waiter_) {
    std::erase(budget_->waiting_, this);
  }
}

void WriteBudget::Claim::Renew() {
  since_ = absl::InfiniteFuture();
  std::list<Claim*>& held = budget_->held_;
  held.splice(held.end(), held, *held_);
}

bool WriteBudget::Claim::await_ready() {
  if (!budget_->waiting_.empty() || !budget_->HasRoom(bytes_)) return false;
  budget_->Hold(this);
  return true;
}

void WriteBudget::Claim::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  budget_->waiting_.push_back(this);
}

void WriteBudget::Hold(Claim* claim) {
  held_bytes_ += claim->bytes_;
  claim->held_ = held_.insert(held_.end(), claim);
}

void WriteBudget::Grant() {
  while (!waiting_.empty() && HasRoom(waiting_.front()->bytes_)) {
    Claim* claim = waiting_.front();
    waiting_.pop_front();
    Hold(claim);
    ready_->push_back(std::exchange(claim->waiter_, nullptr));
  }
}

void WriteBudget::Tick(absl::Time now) {
  // The newest are at the end.
  for (auto it = held_.rbegin(); it != held_.rend(); ++it) {
    if ((*it)->since_ != absl::InfiniteFuture()) break;
    (*it)->since_ = now;
  }
  if (waiting_.empty()) return;
  int64_t wanted = held_bytes_ + waiting_.front()->bytes_ - bytes_max_;
  for (Claim* claim : held_) {
    if (wanted <= 0 || claim->since_ + kLargeWriteStuckMin > now) break;
    wanted -= claim->bytes_;
    if (claim->was_cut_) continue;
    claim->was_cut_ = true;
    ++cut_;
    claim->cut_();
  }
}

absl::Time WriteBudget::NextDeadline() const {
  if (waiting_.empty()) return absl::InfiniteFuture();
  for (const Claim* claim : held_) {
    if (!claim->was_cut_) return claim->since_ + kLargeWriteStuckMin;
  }
  return absl::InfiniteFuture();
}

}  // namespace vigil::coordinator
