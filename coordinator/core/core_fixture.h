// CoreFixture: a coordinator's core on a simulated clock, with clients and
// workers that do as the test says. Time only moves when the test moves it;
// every step is followed by CheckInvariants. Test only; thread-compatible; owns
// the core.
#ifndef VIGIL_COORDINATOR_CORE_CORE_FIXTURE_H_
#define VIGIL_COORDINATOR_CORE_CORE_FIXTURE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/core/core.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {

inline constexpr absl::Duration kTick = absl::Nanoseconds(1);

class CoreFixture : public testing::Test {
 protected:
  CoreFixture() { Restart({}); }

  // A new core; what the last one knew is gone.
  void Restart(const CoreOptions& options) {
    core_ = std::make_unique<Core>(options);
  }

  // Applies one event; `fx_` is what it brought.
  template <typename Function>
  void Step(Function function) {
    fx_ = Effects();
    function();
    core_->CheckInvariants();
  }

  // --- clients
  static NewJob Typed(const std::string& id, const std::string& task_type,
                      int priority = 0) {
    NewJob job = Command(id);
    job.task_type = task_type;
    job.priority = priority;
    return job;
  }
  static NewJob Command(const std::string& id, const JobPolicy& policy = {}) {
    NewJob job;
    job.id = JobId(id);
    job.namespace_ = "default";
    job.policy = std::make_shared<const JobPolicy>(policy);
    return job;
  }
  void Submit(NewJob job) {
    Step([&] { ASSERT_TRUE(core_->Submit(std::move(job), now_, &fx_).ok()); });
  }
  void Submit(const std::string& id, const JobPolicy& policy = {}) {
    Submit(Command(id, policy));
  }
  void Cancel(const std::string& id) {
    Step([&] { EXPECT_TRUE(core_->Cancel(JobId(id), now_, &fx_)); });
  }

  // --- workers
  static WorkerHello Hello(const std::string& worker, int slots = 1) {
    WorkerHello hello;
    hello.worker = WorkerId(worker);
    hello.session = SessionId(worker + "-1");
    hello.slots = slots;
    hello.allow_commands = true;
    return hello;
  }
  absl::StatusOr<AttachVerdict> Attach(StreamId stream, WorkerHello hello) {
    absl::StatusOr<AttachVerdict> verdict;
    Step(
        [&] { verdict = core_->Attach(stream, std::move(hello), now_, &fx_); });
    return verdict;
  }
  // Job `id` runs as attempt 1 on a worker of stream 1.
  void RunJob(const JobPolicy& policy = {}, const std::string& id = "j",
              WorkerHello hello = Hello("w")) {
    Submit(id, policy);
    ASSERT_TRUE(Attach(1, std::move(hello)).ok());
    Tick();
    ASSERT_EQ(Assigned(), Ids{Id(id)});
  }
  void StreamLost(StreamId stream) {
    Step([&] { core_->StreamLost(stream); });
  }
  void Heartbeat(StreamId stream, int64_t number = 1) {
    Step([&] { core_->Heartbeat(stream, number, HostLoad(), {}, now_, &fx_); });
  }
  void Heartbeat(StreamId stream, HostLoad host, std::set<int> stuck_slots) {
    Step([&] {
      core_->Heartbeat(stream, 1, std::move(host), std::move(stuck_slots), now_,
                       &fx_);
    });
  }
  void Update(StreamId stream, AttemptUpdate update) {
    Step([&] { core_->Update(stream, std::move(update), now_, &fx_); });
  }
  void End(StreamId stream, AttemptEnd end) {
    Step([&] { core_->End(stream, std::move(end), now_, &fx_); });
  }
  void TakeCheckpoint(StreamId stream, const AttemptId& attempt,
                      const std::string& state) {
    Step([&] {
      core_->TakeCheckpoint(
          stream, {attempt, std::make_shared<const std::string>(state)}, now_,
          &fx_);
    });
  }
  void SetInFlight(StreamId stream, const std::string& type, int in_flight) {
    TaskTypeStatus status;
    status.name = type;
    status.in_flight = in_flight;
    Step([&] { core_->SetTaskTypeStatus(stream, status); });
  }
  void SetAhead(StreamId stream, int attempts) {
    Step([&] { core_->SetAhead(stream, attempts); });
  }
  void SetUsable(StreamId stream, int slots, const std::string& cause) {
    Step([&] { core_->SetUsableSlots(stream, slots, cause, &fx_); });
  }
  void Announce(StreamId stream, std::set<std::string> types,
                std::map<std::string, int> max_slots = {}) {
    Step([&] {
      core_->Announce(stream, std::move(types), std::move(max_slots));
    });
  }
  void WorkerDead(const std::string& session) {
    Step([&] { core_->WorkerDead(SessionId(session), now_, &fx_); });
  }

  // --- words of a worker
  static AttemptId Id(const std::string& job, int number = 1) {
    return {JobId(job), number};
  }
  // An attempt that ran for a second and ended with `reason`, or well.
  static AttemptEnd EndOf(const AttemptId& attempt,
                          Reason reason = Reason::kUnspecified) {
    AttemptEnd end;
    end.attempt = attempt;
    end.last.attempt = attempt;
    end.last.age = absl::Seconds(1);
    end.last.phase = Phase::kEnded;
    end.exit.emplace();
    if (reason == Reason::kUnspecified) {
      end.exit->status = 0;
    } else {
      end.failure = Failure{reason, "as the test says", ""};
    }
    return end;
  }
  static AttemptEnd EndUnconfirmed(const AttemptId& attempt, Reason reason) {
    AttemptEnd end = EndOf(attempt, reason);
    end.evidence.emplace();
    end.evidence->death_unconfirmed = true;
    return end;
  }
  static AttemptUpdate UpdateOf(const AttemptId& attempt, Phase phase) {
    AttemptUpdate update;
    update.attempt = attempt;
    update.phase = phase;
    update.age = absl::Seconds(1);
    return update;
  }

  // --- time
  void Tick() {
    Step([&] { core_->Tick(now_, &fx_); });
  }
  void TickAt(absl::Time now) {
    now_ = now;
    Tick();
  }

  // --- what was brought about
  template <typename Kind>
  static std::vector<Kind> Of(const std::vector<Effect>& effects) {
    std::vector<Kind> found;
    for (const Effect& effect : effects) {
      if (const Kind* kind = std::get_if<Kind>(&effect)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
  std::vector<AttemptId> Assigned() const {
    std::vector<AttemptId> assigned;
    for (const auto& effect : Of<SendAssignment>(fx_.after_commit)) {
      assigned.push_back(effect.attempt);
    }
    return assigned;
  }
  std::vector<AttemptId> Stopped() const {
    std::vector<AttemptId> stopped;
    for (const auto& effect : Of<SendStop>(fx_.after_commit)) {
      EXPECT_EQ(effect.reason, Reason::kCancelled);
      stopped.push_back(effect.attempt);
    }
    return stopped;
  }
  std::vector<AttemptId> Acknowledged() const {
    std::vector<AttemptId> acknowledged;
    for (const auto& effect : Of<SendEndAck>(fx_.after_commit)) {
      acknowledged.push_back(effect.attempt);
    }
    return acknowledged;
  }
  // What the store's result of `job` becomes; absent: it stays as it is.
  std::optional<std::string> ResultStored(const std::string& job) const {
    std::optional<std::string> bytes;
    for (const ResultBlob& result : fx_.results) {
      if (result.job_id == JobId(job)) bytes = *result.bytes;
    }
    return bytes;
  }
  using Ids = std::vector<AttemptId>;

  const Job& Get(const std::string& id) const {
    const Job* job = core_->FindJob(JobId(id));
    EXPECT_NE(job, nullptr) << id;
    return *job;
  }
  JobState StateOf(const std::string& id) const { return Get(id).state; }
  // Why a job failed; kUnspecified when it did not.
  Reason ReasonOf(const std::string& id) const {
    const std::optional<Failure>& failure = Get(id).failure;
    return failure.has_value() ? failure->reason : Reason::kUnspecified;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  Effects fx_;
  std::unique_ptr<Core> core_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CORE_CORE_FIXTURE_H_
