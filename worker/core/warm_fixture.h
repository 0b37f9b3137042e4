// WarmFixture: CoreFixture with task types, and with warm programs that say
// what the test lets them say. Test only; thread-compatible; owns the core.
#ifndef VIGIL_WORKER_CORE_WARM_FIXTURE_H_
#define VIGIL_WORKER_CORE_WARM_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "worker/core/core_fixture.h"

namespace vigil::worker {

class WarmFixture : public CoreFixture {
 protected:
  using Jobs = std::vector<std::string>;

  // A warm type with the defaults of the catalog.
  static TaskTypeRules Warm(const std::string& name = "t") {
    TaskTypeRules rules;
    rules.name = name;
    rules.warm = true;
    return rules;
  }
  // Offers nothing but these; returns what stands for each.
  std::vector<TaskTypeRulesPtr> Offer(std::vector<TaskTypeRules> types) {
    std::vector<TaskTypeRulesPtr> pointers;
    std::vector<OfferedType> offered;
    for (TaskTypeRules& type : types) {
      pointers.push_back(std::make_shared<const TaskTypeRules>(type));
      offered.push_back({pointers.back(), false});
    }
    Step([&] { core_->SetTypes(std::move(offered), now_, &effects_); });
    return pointers;
  }
  TaskTypeRulesPtr Offer(TaskTypeRules type) {
    return Offer(std::vector<TaskTypeRules>{std::move(type)})[0];
  }

  using CoreFixture::Assign;
  void Assign(const TaskTypeRulesPtr& type, const std::string& job,
              const Supervision& supervision = {}) {
    AttemptStart start;
    start.id = Id(job);
    start.supervision = supervision;
    start.time_left = absl::Hours(24);
    start.type = type;
    Step([&] { core_->Assign(std::move(start), now_, &effects_); });
  }

  // What is wrong with a frame that names the attempt of `job`; none if empty.
  std::string Problem(FrameKind kind, const std::string& job = "",
                      int slot = 0) const {
    return core_->ProblemWith(
        slot, kind,
        job.empty() ? std::nullopt : std::optional<AttemptId>(Id(job)));
  }
  void Frame(FrameKind kind, const std::string& job = "", int slot = 0,
             int64_t bytes = 0) {
    ASSERT_EQ(Problem(kind, job, slot), "");
    Step([&] { core_->FrameRead(slot, kind, bytes, now_, &effects_); });
  }
  void Hello(int slot = 0) { Frame(FrameKind::kHello, "", slot); }
  void Started(const std::string& job, int slot = 0) {
    Frame(FrameKind::kStarted, job, slot);
  }
  void Result(const std::string& job, int slot = 0) {
    Frame(FrameKind::kResult, job, slot);
    Step([&] { core_->Reported(slot, Outcome(), now_, &effects_); });
  }
  void Inspected(int others = 0, int64_t rss_bytes = 0, int slot = 0) {
    Step([&] { core_->Inspected(slot, others, rss_bytes, now_, &effects_); });
  }
  // The program in `slot` ends its attempt well, and leaves nothing behind.
  void Finish(const std::string& job, int slot = 0, int64_t rss_bytes = 0) {
    Result(job, slot);
    Inspected(0, rss_bytes, slot);
  }
  void ChannelClosed(int slot = 0) {
    Step([&] { core_->ChannelClosed(slot, now_, &effects_); });
  }
  void ProtocolBroken(int slot = 0) {
    Step([&] { core_->ProtocolBroken(slot, "broke it", now_, &effects_); });
  }
  void Fence(const std::string& job) {
    Step([&] { core_->Fence(Id(job), now_, &effects_); });
  }
  void SetSlots(int slots) {
    Step([&] { core_->SetSlots(slots, now_, &effects_); });
  }

  // Assigns `job`, which must get a new program in `slot`; it loads and begins.
  void Begin(const TaskTypeRulesPtr& type, const std::string& job, int slot = 0,
             const Supervision& supervision = {}) {
    Assign(type, job, supervision);
    ASSERT_EQ(Of<SpawnTask>().size(), 1u);
    ASSERT_EQ(Of<SpawnTask>()[0].slot, slot);
    ASSERT_EQ(Of<SpawnTask>()[0].purpose, SpawnPurpose::kRun);
    Spawned(slot);
    Hello(slot);
    ASSERT_EQ(Starts(), Jobs{job});
    Started(job, slot);
  }
  // As Begin, and ends the job: its program is warm in `slot`.
  void MakeWarm(const TaskTypeRulesPtr& type, const std::string& job,
                int slot = 0) {
    Begin(type, job, slot);
    Finish(job, slot);
    ASSERT_EQ(core_->slot_state(slot), SlotState::kWarm);
  }
  // Begins `first` in slot 0 with `ahead` handed ahead. The type's jobs must
  // have been measured as short.
  void BeginWithAhead(const TaskTypeRulesPtr& type, const std::string& first,
                      const Jobs& ahead) {
    MakeWarm(type, "measured");
    Assign(type, first);
    Started(first);
    for (const std::string& job : ahead) {
      Assign(type, job);
      ASSERT_EQ(Starts(), Jobs{job});
      ASSERT_EQ(*core_->attempt_in(0), Id(first));
    }
  }

  // Jobs that were handed to a program.
  Jobs Starts() const {
    Jobs jobs;
    for (const SendStart& start : Of<SendStart>()) {
      jobs.push_back(start.attempt.job_id.value());
    }
    return jobs;
  }
  // Jobs for which a program is started.
  Jobs Spawns() const {
    Jobs jobs;
    for (const SpawnTask& spawn : Of<SpawnTask>()) {
      jobs.push_back(spawn.attempt.job_id.value());
    }
    return jobs;
  }
  // The end of `job` among those just sent; a failed test when there is none.
  AttemptEnd EndOf(const std::string& job) const {
    for (const SendEnd& end : Of<SendEnd>()) {
      if (end.end.attempt == Id(job)) return end.end;
    }
    ADD_FAILURE() << "no end of " << job;
    return AttemptEnd();
  }
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_CORE_WARM_FIXTURE_H_
