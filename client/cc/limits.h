// The caps and defaults of the client library, each with unit and reason.
// Constants, thread-safe; nothing is owned.
#ifndef VIGIL_CLIENT_CC_LIMITS_H_
#define VIGIL_CLIENT_CC_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace vigil::client {

// Deadline of one try of a unary call. A healthy coordinator answers in
// milliseconds, a page of 4 MiB over a slow link in seconds; past this it is
// stuck.
inline constexpr absl::Duration kCallTimeoutDefault = absl::Seconds(30);

// How long a broken stream, or a call that asked for it, is tried again before
// its error is handed on. Longer than a restart of a coordinator with a large
// store takes.
inline constexpr absl::Duration kReconnectForDefault = absl::Seconds(60);

// Longest wait between two tries: a coordinator that is back is found soon,
// and a thousand waiting clients are still no load for it.
inline constexpr absl::Duration kRetryIntervalMax = absl::Seconds(5);

// Longest pushback that is honoured; a server that asks for more is an error
// for the caller to see.
inline constexpr absl::Duration kPushbackMax = absl::Seconds(60);

// How long a client that goes away waits for the answer to a cancellation that
// is on its way: a healthy coordinator records it in milliseconds, and nobody
// should wait long for another.
inline constexpr absl::Duration kLastWishMax = absl::Seconds(2);

// How often an open stream over TCP proves that the link is alive, and how long
// the proof may take. Finds a peer that vanished without closing; gRPC servers
// take pings on a quiet stream more often than every 5 min for abuse.
inline constexpr absl::Duration kKeepaliveInterval = absl::Seconds(310);
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(10);

// Items of one message of RunBatch, by number and by bytes, unless a single one
// is larger: as many as the coordinator takes in one turn.
inline constexpr int kBatchItemsPerMessageMax = 500;
inline constexpr size_t kBatchMessageBytesMax = 512 << 10;

// Longest path of a unix socket, in bytes: sockaddr_un holds 108, one of them
// the closing NUL.
inline constexpr size_t kSocketPathBytesMax = 107;

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_LIMITS_H_
