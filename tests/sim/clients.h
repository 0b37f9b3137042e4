// Clients: submit jobs, wish some of them to end, lose and take over their
// streams, and remember what was acknowledged through the judge.
// Thread-compatible; does not own the cluster.
#ifndef VIGIL_TESTS_SIM_CLIENTS_H_
#define VIGIL_TESTS_SIM_CLIENTS_H_

#include <memory>
#include <vector>

#include "base/ids.h"
#include "tests/sim/cluster.h"
#include "tests/sim/job_spec.h"

namespace vigil::sim {

class Clients {
 public:
  explicit Clients(Cluster* cluster) : cluster_(cluster) {}

  // Submits until Stop.
  void Start();
  void Stop() { stopped_ = true; }

  // Submits one job. Its id must be new.
  void Submit(JobSpec spec);
  JobId NewId();
  // The place of whatever is submitted next among all that is.
  int NewNumber() { return ++last_number_; }

 private:
  void SubmitNext();
  // One of the cluster's types, or null.
  std::shared_ptr<const TaskType> AnyType();
  void PlanCancel(const JobId& id);
  void PlanLoss(const JobId& id);
  void WatchCoordinator();
  void TakeOver();

  Cluster* const cluster_;
  bool stopped_ = false;
  int last_number_ = 0;
  int seen_lives_ = 1;
  // Jobs that are cancelled when nobody takes their stream over.
  std::vector<JobId> owned_;
};

}  // namespace vigil::sim

#endif  // VIGIL_TESTS_SIM_CLIENTS_H_
