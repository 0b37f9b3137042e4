// PolicyPool: makes jobs with equal policies share one value, since the jobs of
// a batch differ in little but their arguments. Thread-compatible; values live
// as long as a job uses them.
#ifndef VIGIL_COORDINATOR_CODEC_POLICY_POOL_H_
#define VIGIL_COORDINATOR_CODEC_POLICY_POOL_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "coordinator/core/job.h"
#include "vigil/v1/job.pb.h"

namespace vigil::coordinator {

class PolicyPool {
 public:
  // The policy of a resolved spec, of which command, arguments, input and the
  // value of a fallback are left out.
  std::shared_ptr<const JobPolicy> Get(const v1::JobSpec& spec,
                                       bool cancel_on_disconnect);

 private:
  // Entries of which the job is gone are dropped whenever the pool has doubled.
  absl::flat_hash_map<std::string, std::weak_ptr<const JobPolicy>> policies_;
  size_t sweep_at_ = 1024;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_POLICY_POOL_H_
