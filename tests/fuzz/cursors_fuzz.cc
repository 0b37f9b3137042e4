// Gives cursors and tokens back that were never given out. Each line of an
// input is one, with C escapes, behind its kind, as in `watch j \n\001j`. What
// is taken must be within bounds, and the same when it is written and read
// again; what is refused must be INVALID_ARGUMENT.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/task_token.h"
#include "base/utf8.h"
#include "coordinator/codec/stored_batch.pb.h"
#include "coordinator/codec/stored_job.pb.h"
#include "coordinator/rpc/cursors.h"
#include "coordinator/rpc/page_token.h"

namespace {

using ::vigil::coordinator::FormatToken;
using ::vigil::coordinator::kPositionMax;
using ::vigil::coordinator::ParseToken;

void CheckRefused(const absl::Status& status) {
  VIGIL_CHECK(absl::IsInvalidArgument(status) && !status.message().empty(),
              status.ToString());
}

void CheckPosition(int64_t position) {
  VIGIL_CHECK(position >= 0 && position <= kPositionMax,
              std::to_string(position));
}

// `owner` is the job or batch that the request names.
void FuzzWatchCursor(const std::string& owner, const std::string& bytes) {
  const auto cursor = vigil::coordinator::ParseWatchCursor(bytes, owner);
  if (!cursor.ok()) return CheckRefused(cursor.status());
  VIGIL_CHECK(cursor->job_id() == owner, cursor->job_id());
  VIGIL_CHECK(cursor->attempt() >= 0, cursor->ShortDebugString());
  CheckPosition(cursor->stdout_offset());
  CheckPosition(cursor->stderr_offset());
  const std::string written = cursor->SerializeAsString();
  const auto again = vigil::coordinator::ParseWatchCursor(written, owner);
  VIGIL_CHECK(again.ok() && again->SerializeAsString() == written, written);
  // Only an empty one goes with any job.
  if (bytes.empty()) return;
  CheckRefused(
      vigil::coordinator::ParseWatchCursor(bytes, owner + "x").status());
}

void FuzzBatchCursor(const std::string& owner, const std::string& bytes) {
  for (const int number : {0, 1, 2, 3}) {
    const auto order = static_cast<vigil::v1::ResultOrder>(number);
    const auto position = vigil::coordinator::PositionOf(bytes, order, owner);
    if (!position.ok()) {
      CheckRefused(position.status());
      continue;
    }
    CheckPosition(*position);
    const auto again = vigil::coordinator::PositionOf(
        vigil::coordinator::FormatBatchCursor(owner, order, *position), order,
        owner);
    VIGIL_CHECK(again.ok() && *again == *position, again.status().ToString());
    // Only an empty one goes with any batch and order.
    if (bytes.empty()) continue;
    CheckRefused(
        vigil::coordinator::PositionOf(bytes, order, owner + "x").status());
    const auto other = order == vigil::v1::RESULT_ORDER_BY_INDEX
                           ? vigil::v1::RESULT_ORDER_AS_COMPLETED
                           : vigil::v1::RESULT_ORDER_BY_INDEX;
    CheckRefused(vigil::coordinator::PositionOf(bytes, other, owner).status());
  }
}

// What a text holds, whatever request it was given for; of others, nothing.
template <typename Token>
Token Decode(const std::string& text) {
  std::string bytes;
  Token token;
  if (!absl::WebSafeBase64Unescape(text, &bytes) ||
      !token.ParseFromString(bytes)) {
    token.Clear();
  }
  return token;
}

template <typename Token, typename Parse>
void FuzzPageToken(const std::string& text, Parse parse) {
  const Token decoded = Decode<Token>(text);
  const uint64_t hash = decoded.request_hash();
  const absl::StatusOr<Token> token = parse(text, hash);
  if (!token.ok()) return CheckRefused(token.status());
  VIGIL_CHECK(token->SerializeAsString() == decoded.SerializeAsString(), text);
  const absl::StatusOr<Token> again = parse(FormatToken(*token), hash);
  VIGIL_CHECK(
      again.ok() && again->SerializeAsString() == token->SerializeAsString(),
      text);
  // Only an empty one goes with any request.
  if (!text.empty()) CheckRefused(parse(text, hash + 1).status());
}

void FuzzOutputToken(const std::string& text) {
  using Token = vigil::coordinator::ReadOutputToken;
  FuzzPageToken<Token>(text, vigil::coordinator::ParseOutputToken);
  const auto token = vigil::coordinator::ParseOutputToken(
      text, Decode<Token>(text).request_hash());
  if (!token.ok()) return;
  VIGIL_CHECK(token->attempt() >= 0 && token->after_seq() >= 0, text);
  CheckPosition(token->stdout_offset());
  CheckPosition(token->stderr_offset());
}

void FuzzWorkersToken(const std::string& text) {
  const auto session = vigil::coordinator::ParseWorkersToken(text);
  if (!session.ok()) return CheckRefused(session.status());
  VIGIL_CHECK(
      text.empty() || vigil::coordinator::FormatWorkersToken(*session) == text,
      text);
}

void FuzzTaskToken(const std::string& text) {
  for (const std::string& shown :
       {vigil::NestedDispatchMessage(text), vigil::CleanTaskToken(text)}) {
    VIGIL_CHECK(vigil::IsUtf8(shown), shown);
    VIGIL_CHECK(shown.size() < 2 * vigil::kTaskTokenBytesMax, shown);
  }
  const std::optional<vigil::TaskToken> token = vigil::ParseTaskToken(text);
  if (!token.has_value()) return;
  VIGIL_CHECK(vigil::ParseTaskToken(vigil::FormatTaskToken(*token)) == token,
              text);
  VIGIL_CHECK(text.size() <= vigil::kTaskTokenBytesMax, text);
}

void FuzzLine(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> kind =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  const std::pair<absl::string_view, absl::string_view> owned =
      absl::StrSplit(kind.second, absl::MaxSplits(' ', 1));
  // What a request names is a proto string.
  const std::string owner(owned.first);
  if (!vigil::IsUtf8(owner)) return;
  std::string bytes;
  if (kind.first == "watch") {
    if (absl::CUnescape(owned.second, &bytes)) FuzzWatchCursor(owner, bytes);
  } else if (kind.first == "batch") {
    if (absl::CUnescape(owned.second, &bytes)) FuzzBatchCursor(owner, bytes);
  } else if (!absl::CUnescape(kind.second, &bytes)) {
    return;
  } else if (kind.first == "task") {
    FuzzTaskToken(bytes);
  } else if (kind.first == "workers") {
    FuzzWorkersToken(bytes);
  } else if (kind.first == "output") {
    // As text, and as the bytes that the text stands for.
    FuzzOutputToken(bytes);
    FuzzOutputToken(absl::WebSafeBase64Escape(bytes));
  } else if (kind.first == "jobs") {
    using Token = vigil::coordinator::ListJobsToken;
    FuzzPageToken<Token>(bytes, ParseToken<Token>);
    FuzzPageToken<Token>(absl::WebSafeBase64Escape(bytes), ParseToken<Token>);
  } else if (kind.first == "batches") {
    using Token = vigil::coordinator::ListBatchesToken;
    FuzzPageToken<Token>(bytes, ParseToken<Token>);
    FuzzPageToken<Token>(absl::WebSafeBase64Escape(bytes), ParseToken<Token>);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    FuzzLine(line);
  }
  return 0;
}
