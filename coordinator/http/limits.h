// Caps of JSON over HTTP, each with its unit and reason. What is beyond one is
// refused, and nobody else waits for it.
#ifndef VIGIL_COORDINATOR_HTTP_LIMITS_H_
#define VIGIL_COORDINATOR_HTTP_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "coordinator/rpc/limits.h"

namespace vigil::coordinator {

// Connections at a time. Each is a descriptor, of which a process has 1,024 by
// default, and gRPC needs the others. A newcomer takes the place of one that
// waits between requests, or is told 503.
inline constexpr int kHttpConnectionsMax = 512;

// Of these, how many may be streams, so that there is always one left to ask
// what goes on.
inline constexpr int kHttpStreamsMax = 384;

// Connections beyond the limit that are still being told so; any more are
// closed without a word.
inline constexpr int kHttpRefusalsMax = 64;

// Request line and headers, in bytes: ten times what clients send.
inline constexpr size_t kHttpHeadBytesMax = 16 << 10;

// What is read of a connection and not taken in yet, in bytes: 64 KiB of a body
// behind a head, and what came ahead of its turn. It bounds what the parser
// takes in one piece: a chunk's extensions, and all trailers together.
inline constexpr size_t kHttpInputBytesMax = 128 << 10;

// A request's message, in bytes, as gRPC takes it; in JSON bytes are base64,
// which is a third longer, and has names beside.
inline constexpr size_t kHttpBinaryBodyBytesMax = kRpcMessageBytesMax;
inline constexpr size_t kHttpJsonBodyBytesMax = 6 << 20;

// Bodies that are on their way, of all connections together, in bytes. Above
// it those that have not moved for longest are cut off.
inline constexpr int64_t kHttpHeldBytesMax = 64 << 20;

// What the kernel holds of an answer that is not read, in bytes, for each
// connection: beyond it a stream waits for its reader.
inline constexpr int kHttpSendBufferBytes = 256 << 10;

// An error's message, in bytes: it says what and which, and may quote a client.
inline constexpr size_t kHttpErrorBytesMax = 16 << 10;

// Extra metadata of a request: more than clients of ours send.
inline constexpr size_t kHttpMetadataMax = 16;

// From the first byte of a request, or from the connection, to the end of its
// headers; what trickles in is no client of ours.
inline constexpr absl::Duration kHttpHeadTimeout = absl::Seconds(10);

// From the end of the headers to the end of the body: 100 KiB/s at least.
inline constexpr absl::Duration kHttpBodyTimeout = absl::Seconds(60);

// Between two requests of a connection: what other servers grant.
inline constexpr absl::Duration kHttpIdleTimeout = absl::Seconds(60);

// In which a client must take some of a single answer. A stream's reader may
// stop for as long as it wants, as over gRPC.
inline constexpr absl::Duration kHttpWriteTimeout = absl::Seconds(30);

// How long, and for how many bytes, a client whose request was not read is
// listened to, so that it reads why before the connection is reset.
inline constexpr absl::Duration kHttpLingerTimeout = absl::Seconds(1);
inline constexpr size_t kHttpLingerBytesMax = 8 << 20;

// When a coordinator ends, how long clients have to take what they were told.
inline constexpr absl::Duration kHttpStopGrace = absl::Seconds(1);

// Before new connections are looked for again when there was no descriptor.
inline constexpr absl::Duration kHttpAcceptPause = absl::Milliseconds(100);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_HTTP_LIMITS_H_
