// Page tokens of lists: what a token message holds, as text, bound to the
// request that it was given for. Pure functions, thread-safe.
#ifndef VIGIL_COORDINATOR_RPC_PAGE_TOKEN_H_
#define VIGIL_COORDINATOR_RPC_PAGE_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "coordinator/codec/deterministic.h"
#include "coordinator/codec/job_codec.h"

namespace vigil::coordinator {

// Entries of a page, as the protos state them.
inline constexpr int kPageSizeDefault = 100;
inline constexpr int kPageSizeMax = 1000;

// The size that a request means. INVALID_ARGUMENT: out of bounds.
inline absl::StatusOr<int> PageSizeOf(int requested) {
  if (requested < 0 || requested > kPageSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size is ", requested,
                     "; it must be from 0 (the default) to ", kPageSizeMax));
  }
  return requested == 0 ? kPageSizeDefault : requested;
}

// A page token is a proto `string`, which must be UTF-8.
template <typename Token>
std::string FormatToken(const Token& token) {
  return absl::WebSafeBase64Escape(token.SerializeAsString());
}

inline absl::Status DamagedToken() {
  return absl::InvalidArgumentError(
      "page_token is damaged or belongs to another request; give "
      "next_page_token of an answer to the same request, or start without");
}

// Takes a token apart. INVALID_ARGUMENT: damaged, or another request's.
template <typename Token>
absl::StatusOr<Token> ParseToken(const std::string& text, uint64_t hash) {
  Token token;
  if (text.empty()) return token;
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes) ||
      !token.ParseFromString(bytes) || token.request_hash() != hash) {
    return DamagedToken();
  }
  return token;
}

template <typename Request>
uint64_t HashWithoutToken(Request request) {
  request.clear_page_token();
  return StableHash(SerializeDeterministically(request));
}

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_RPC_PAGE_TOKEN_H_
