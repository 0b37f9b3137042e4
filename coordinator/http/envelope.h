// Envelopes, in which the Connect protocol sends the messages of a stream: a
// byte of flags, the length as four bytes, most significant first, the message.
// Pure functions, thread-safe; own nothing.
#ifndef VIGIL_COORDINATOR_HTTP_ENVELOPE_H_
#define VIGIL_COORDINATOR_HTTP_ENVELOPE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vigil::coordinator {

inline constexpr size_t kEnvelopeHeadBytes = 5;

enum class EnvelopeKind { kMessage, kEndStream };

// Returns `message`, of less than 4 GiB, in an envelope.
std::string Enveloped(EnvelopeKind kind, absl::string_view message);

// Returns the one message of a request to a method that answers with a stream,
// as part of `body`. INVALID_ARGUMENT: there is none or more than one, it is
// cut short, or its flags are not a request's.
absl::StatusOr<absl::string_view> OnlyMessage(absl::string_view body);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_ENVELOPE_H_
