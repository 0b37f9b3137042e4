// StreamOptions: how long a stream goes on, and how its events are read.
// Values, thread-compatible.
#ifndef VIGIL_CLIENT_CC_STREAM_OPTIONS_H_
#define VIGIL_CLIENT_CC_STREAM_OPTIONS_H_

#include <type_traits>

#include "absl/time/time.h"

namespace vigil::client {

struct StreamOptions {
  enum class Reading {
    // The next event as soon as the observer has returned.
    kAsTheyCome,
    // The next event when the handle's ReadNext() asks for it; the first one
    // comes by itself. Until then the stream is held back as by a slow
    // observer, and no thread is.
    kOnDemand,
  };
  Reading reading = Reading::kAsTheyCome;
  // When the stream ends at the latest, by DEADLINE_EXCEEDED, resumptions
  // included. Counted from the call on by a clock that nobody sets. What it
  // means for the job or batch is as when the stream is abandoned.
  absl::Time deadline = absl::InfiniteFuture();
};
// As CallOptions.
static_assert(std::is_trivially_destructible_v<StreamOptions>);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_STREAM_OPTIONS_H_
