// BatchReader and BatchWatchReader: a batch that is run or watched, as events
// that its owner asks for. Threads and ownership as EventReader.
#ifndef VIGIL_CLIENT_CC_BATCH_READER_H_
#define VIGIL_CLIENT_CC_BATCH_READER_H_

#include "client/cc/client.h"
#include "client/cc/event_reader.h"
#include "client/cc/scoped_stream.h"
#include "vigil/v1/batch.pb.h"
#include "vigil/v1/batch_service.pb.h"

namespace vigil::client {

using BatchReader = EventReader<v1::BatchEvent, v1::Batch, BatchStream>;
using BatchWatchReader = EventReader<v1::BatchEvent, v1::Batch, BatchWatch>;

// As Client::RunBatch: items are given to stream(). options.reading is of no
// effect: a reader reads on demand.
BatchReader RunBatch(Client& client, v1::OpenBatch open, v1::ResultOrder order,
                     OnDestruction on_destruction = OnDestruction::kAbandon,
                     StreamOptions options = {});

// As Client::WatchBatch.
BatchWatchReader WatchBatch(
    Client& client, v1::WatchBatchRequest request,
    OnDestruction on_destruction = OnDestruction::kAbandon,
    StreamOptions options = {});

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_BATCH_READER_H_
