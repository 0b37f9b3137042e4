// DoctorSession: the jobs and the batch that one check of `vigil doctor` runs
// on one coordinator, each noted as it comes, within one deadline. Main thread
// only. Owns its client; borrows the surroundings and the private coordinator.
#ifndef VIGIL_CLIENT_CLI_DOCTOR_SESSION_H_
#define VIGIL_CLIENT_CLI_DOCTOR_SESSION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cc/client.h"
#include "client/cli/environment.h"
#include "client/cli/private_coordinator.h"
#include "client/cli/seen.h"
#include "client/cli/slot_survey.h"

namespace vigil::cli {

class DoctorSession {
 public:
  // `coordinator` is null for one that runs already. The session's time begins
  // now.
  DoctorSession(std::unique_ptr<client::Client> client,
                const PrivateCoordinator* coordinator, absl::Duration timeout,
                const Environment& environment);

  DoctorSession(const DoctorSession&) = delete;
  DoctorSession& operator=(const DoctorSession&) = delete;
  // Cancels what has not ended and waits kDoctorCleanUpTimeout for its end.
  ~DoctorSession();

  // Looks at the workers, again and again for up to `patience` until `wanted`
  // slots are free.
  //
  // - As Await, and as ListWorkers.
  absl::StatusOr<SlotSurvey> Survey(int wanted, absl::Duration patience);

  // Every worker there is. Errors as Survey.
  absl::StatusOr<std::vector<v1::Worker>> ListWorkers();

  // Starts a job in the doctor's namespace; Await fills in what comes of it.
  std::shared_ptr<const SeenJob> Start(v1::JobSpec spec);
  void Cancel(const SeenJob& job);

  // Runs a batch of these items; Await fills in what comes of it.
  std::shared_ptr<const SeenBatch> StartBatch(
      v1::BatchSpec spec, const std::vector<v1::BatchItem>& items);

  // Waits until `done` is true, which is asked after each event.
  //
  // - DEADLINE_EXCEEDED: the session's time is over.
  // - CANCELLED: a signal came, now or before; see signal().
  // - UNAVAILABLE: the private coordinator ended; the message holds the end of
  //   its log.
  absl::Status Await(const std::function<bool()>& done);

  // Waits for the end of a job or a batch. Errors as Await, and those with
  // which it ended instead of a result, such as PERMISSION_DENIED.
  absl::Status AwaitEnd(const SeenJob& job);
  absl::Status AwaitEnd(const SeenBatch& batch);

  // Waits that long. Errors as Await, but for the end of its time.
  absl::Status Pause(absl::Duration time);

  // Gives it more time, from now on.
  void Extend(absl::Duration time);

  absl::Time Now() const { return environment_.clock->Now(); }
  absl::Duration timeout() const { return timeout_; }
  // The signal that asked for the end; 0: none.
  int signal() const { return signal_; }
  // Those that have not ended.
  std::vector<std::shared_ptr<const SeenJob>> Unended() const;

 private:
  // Posts to the main thread what is to be done there.
  void Post(std::function<void()> function) {
    environment_.events->Post(std::move(function));
  }
  absl::Status AwaitUntil(absl::Time deadline,
                          const std::function<bool()>& done);

  const Environment& environment_;
  const PrivateCoordinator* const coordinator_;
  const absl::Duration timeout_;
  absl::Time deadline_;
  int signal_ = 0;
  std::vector<std::shared_ptr<SeenJob>> jobs_;
  std::vector<std::shared_ptr<SeenBatch>> batches_;
  // Last, so that its callbacks end before what they use.
  std::unique_ptr<client::Client> client_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_DOCTOR_SESSION_H_
