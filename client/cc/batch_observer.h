// BatchObserver: what the one who runs or watches a batch is told meanwhile.
// The functions are called on the library's threads, one at a time and in
// order; the next event is read only when the last call has returned, so a slow
// observer slows the stream down and loses nothing. Owned by the stream until
// on_end has returned; nothing is called after that.
#ifndef VIGIL_CLIENT_CC_BATCH_OBSERVER_H_
#define VIGIL_CLIENT_CC_BATCH_OBSERVER_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vigil/v1/batch.pb.h"

namespace vigil::client {

// Each may be empty, and then what it would be told is dropped.
struct BatchObserver {
  // The batch after a change, results, or that items were accepted. No result
  // comes twice.
  std::function<void(const v1::BatchEvent& event)> on_event;
  // The stream broke by `error` and is taken up after `wait`.
  std::function<void(const absl::Status& error, absl::Duration wait)> on_retry;
  // The last call, always made: the batch, which has ENDED, or why no more is
  // known of it.
  //
  // - UNAVAILABLE: the coordinator could not be reached for as long as the
  //   options say. A batch that was run is stopped when the coordinator is
  //   back; one that was watched goes on.
  // - CANCELLED: the stream was abandoned, by the caller or because the client
  //   went away.
  // - NOT_FOUND: the coordinator does not know the batch (any more).
  // - Others: as RunBatch and WatchBatch of batch_service.proto.
  std::function<void(absl::StatusOr<v1::Batch> batch)> on_end;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_OBSERVER_H_
