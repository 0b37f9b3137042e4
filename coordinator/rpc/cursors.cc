#include "coordinator/rpc/cursors.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "coordinator/rpc/page_token.h"

namespace vigil::coordinator {
namespace {

// Begins every page token of ListWorkers, so that other text is refused.
constexpr char kWorkersTokenPrefix[] = "after:";

bool IsByIndex(v1::ResultOrder order) {
  return order == v1::RESULT_ORDER_BY_INDEX;
}

bool IsPosition(int64_t position) {
  return position >= 0 && position <= kPositionMax;
}

}  // namespace

absl::StatusOr<WatchCursor> ParseWatchCursor(const std::string& bytes,
                                             const std::string& job_id) {
  WatchCursor cursor;
  if (!bytes.empty() &&
      (!cursor.ParseFromString(bytes) || cursor.job_id() != job_id ||
       cursor.attempt() < 0 || !IsPosition(cursor.stdout_offset()) ||
       !IsPosition(cursor.stderr_offset()))) {
    return absl::InvalidArgumentError(
        "cursor is damaged or belongs to another job; start without one");
  }
  cursor.set_job_id(job_id);
  return cursor;
}

absl::Status CheckOrder(v1::ResultOrder order) {
  if (v1::ResultOrder_IsValid(order)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "order is none of AS_COMPLETED and BY_INDEX");
}

absl::StatusOr<int64_t> PositionOf(const std::string& bytes,
                                   v1::ResultOrder order,
                                   const std::string& batch_id) {
  if (absl::Status status = CheckOrder(order); !status.ok()) return status;
  if (bytes.empty()) return 0;
  BatchCursor cursor;
  if (!cursor.ParseFromString(bytes) || !IsPosition(cursor.position()) ||
      IsByIndex(cursor.order()) != IsByIndex(order) ||
      cursor.batch_id() != batch_id) {
    return absl::InvalidArgumentError(
        "cursor is damaged, or belongs to another batch or order; start "
        "without one");
  }
  return cursor.position();
}

std::string FormatBatchCursor(const std::string& batch_id,
                              v1::ResultOrder order, int64_t position) {
  BatchCursor cursor;
  cursor.set_batch_id(batch_id);
  cursor.set_order(order);
  cursor.set_position(position);
  return cursor.SerializeAsString();
}

absl::StatusOr<ReadOutputToken> ParseOutputToken(const std::string& text,
                                                 uint64_t request_hash) {
  absl::StatusOr<ReadOutputToken> token =
      ParseToken<ReadOutputToken>(text, request_hash);
  if (token.ok() && (token->attempt() < 0 || token->after_seq() < 0 ||
                     !IsPosition(token->stdout_offset()) ||
                     !IsPosition(token->stderr_offset()))) {
    return DamagedToken();
  }
  return token;
}

std::string FormatWorkersToken(const std::string& session_id) {
  return absl::StrCat(kWorkersTokenPrefix, session_id);
}

absl::StatusOr<std::string> ParseWorkersToken(const std::string& text) {
  absl::string_view shown = text;
  if (!shown.empty() && !absl::ConsumePrefix(&shown, kWorkersTokenPrefix)) {
    return absl::InvalidArgumentError(
        "page_token is damaged; give next_page_token of an earlier answer");
  }
  return std::string(shown);
}

}  // namespace vigil::coordinator
