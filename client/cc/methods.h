// Methods: the unary methods that Client::Call makes, each known by its request
// and response. The one place of the client that names them: path, retries and
// every form of call follow from it. Types only; thread-safe, nothing is owned.
#ifndef VIGIL_CLIENT_CC_METHODS_H_
#define VIGIL_CLIENT_CC_METHODS_H_

#include <tuple>
#include <type_traits>

#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/job_service.pb.h"
#include "vigil/v1/status_service.pb.h"
#include "vigil/v1/worker_service.pb.h"

namespace vigil::client {

template <typename RequestType, typename ResponseType>
struct Method {
  using Request = RequestType;
  using Response = ResponseType;
};

// What each does, and its errors, stands in proto/vigil/v1.
using Methods = std::tuple<
    // JobService.
    Method<v1::SubmitJobRequest, v1::SubmitJobResponse>,
    Method<v1::SubmitJobsRequest, v1::SubmitJobsResponse>,
    Method<v1::GetJobRequest, v1::GetJobResponse>,
    Method<v1::ListJobsRequest, v1::ListJobsResponse>,
    Method<v1::CancelJobRequest, v1::CancelJobResponse>,
    Method<v1::ReadOutputRequest, v1::ReadOutputResponse>,
    // BatchService.
    Method<v1::CreateBatchRequest, v1::CreateBatchResponse>,
    Method<v1::AddItemsRequest, v1::AddItemsResponse>,
    Method<v1::CloseBatchRequest, v1::CloseBatchResponse>,
    Method<v1::GetBatchRequest, v1::GetBatchResponse>,
    Method<v1::ListBatchesRequest, v1::ListBatchesResponse>,
    Method<v1::CancelBatchRequest, v1::CancelBatchResponse>,
    // StatusService.
    Method<v1::GetStatusRequest, v1::GetStatusResponse>,
    // WorkerService. ClearWorkerCache and SweepWorker wait up to 30 s for their
    // worker: give them a longer timeout.
    Method<v1::ListWorkersRequest, v1::ListWorkersResponse>,
    Method<v1::GetWorkerRequest, v1::GetWorkerResponse>,
    Method<v1::DrainWorkerRequest, v1::DrainWorkerResponse>,
    Method<v1::SetWorkerSlotsRequest, v1::SetWorkerSlotsResponse>,
    Method<v1::ClearWorkerCacheRequest, v1::ClearWorkerCacheResponse>,
    Method<v1::SweepWorkerRequest, v1::SweepWorkerResponse>>;

template <typename Request, typename List>
struct FindMethod {
  static_assert(std::is_same_v<List, Methods>,
                "no unary method of Vigil takes this message");
};

template <typename Request, typename Response, typename... Rest>
struct FindMethod<Request, std::tuple<Method<Request, Response>, Rest...>> {
  using Found = Response;
};

template <typename Request, typename Other, typename... Rest>
struct FindMethod<Request, std::tuple<Other, Rest...>>
    : FindMethod<Request, std::tuple<Rest...>> {};

// The response of the method that takes `Request`.
template <typename Request>
using ResponseTo = typename FindMethod<Request, Methods>::Found;

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_METHODS_H_
