// JobReader: a job that is run or watched, as events that its owner asks for.
// Threads and ownership as EventReader.
#ifndef VIGIL_CLIENT_CC_JOB_READER_H_
#define VIGIL_CLIENT_CC_JOB_READER_H_

#include "client/cc/client.h"
#include "client/cc/event_reader.h"
#include "client/cc/scoped_stream.h"
#include "vigil/v1/job_service.pb.h"
#include "vigil/v1/output.pb.h"

namespace vigil::client {

using JobReader = EventReader<v1::WatchEvent, v1::Job, JobStream>;

// As Client::RunJob. options.reading is of no effect: a reader reads on demand.
JobReader RunJob(Client& client, v1::RunJobRequest request,
                 OnDestruction on_destruction = OnDestruction::kAbandon,
                 StreamOptions options = {});

// As Client::WatchJob.
JobReader WatchJob(Client& client, v1::WatchJobRequest request,
                   OnDestruction on_destruction = OnDestruction::kAbandon,
                   StreamOptions options = {});

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_JOB_READER_H_
