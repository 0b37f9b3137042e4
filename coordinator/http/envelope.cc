#include "coordinator/http/envelope.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace vigil::coordinator {
namespace {

constexpr uint8_t kCompressed = 1;
constexpr uint8_t kEndStream = 2;

}  // namespace

std::string Enveloped(EnvelopeKind kind, absl::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string envelope;
  envelope.reserve(kEnvelopeHeadBytes + message.size());
  envelope.push_back(
      static_cast<char>(kind == EnvelopeKind::kEndStream ? kEndStream : 0));
  for (int shift = 24; shift >= 0; shift -= 8) {
    envelope.push_back(static_cast<char>(size >> shift));
  }
  envelope.append(message.data(), message.size());
  return envelope;
}

absl::StatusOr<absl::string_view> OnlyMessage(absl::string_view body) {
  if (body.size() < kEnvelopeHeadBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the body must be one message in an envelope, five bytes and the "
        "message, and has ",
        body.size(), " bytes"));
  }
  const auto flags = static_cast<uint8_t>(body[0]);
  if ((flags & kCompressed) != 0) {
    return absl::InvalidArgumentError(
        "the envelope says that its message is compressed; identity is the "
        "only encoding here");
  }
  if (flags != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the envelope's flags are ", flags,
                     "; a request's are 0: it has one message and no end"));
  }
  uint32_t size = 0;
  for (size_t i = 1; i < kEnvelopeHeadBytes; ++i) {
    size = size << 8 | static_cast<uint8_t>(body[i]);
  }
  const absl::string_view message = body.substr(kEnvelopeHeadBytes);
  if (message.size() != size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the envelope says that its message has ", size, " bytes, and ",
        message.size(), " follow; send exactly one message"));
  }
  return message;
}

}  // namespace vigil::coordinator
