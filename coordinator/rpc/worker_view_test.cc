// Proves what is shown of a worker's slots where one process has several jobs
// before it, and of its task types.
#include "coordinator/rpc/worker_view.h"

#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class WorkerViewTest : public ::testing::Test {
 protected:
  WorkerViewTest() {
    worker_.hello.worker = WorkerId("w");
    worker_.hello.task_types = {"a", "b", "c"};
    worker_.stream = 1;
    worker_.slots_max = 3;
    worker_.attach_time = worker_.last_heartbeat_time = worker_.lease_time =
        now_;
  }

  // An attempt of type "a" that was assigned.
  Job& Hold(const std::string& id) {
    Job& job = jobs_.emplace_back();
    job.id = JobId(id);
    job.task_type = "a";
    job.last_attempt = 1;
    job.attempts.emplace_back().number = 1;
    job.current().assign_time = now_;
    worker_.Hold({job.id, 1}, &job);
    return job;
  }
  void Report(Job* job, int slot) {
    job->current().last.attempt = {job->id, 1};
    job->current().last.slot = slot;
  }
  void Start(Job* job) { job->current().start_time = now_; }
  void SetInFlight(int in_flight) {
    TaskTypeStatus status;
    status.name = "a";
    status.in_flight = in_flight;
    worker_.SetStatus(status);
  }

  // The jobs of the slots in order; "-" for none.
  std::string Slots() const {
    std::string shown;
    const v1::Worker worker = ToProto(worker_, now_);
    for (const v1::Slot& slot : worker.slots()) {
      absl::StrAppend(&shown, slot.index(), ":",
                      slot.state() == v1::Slot::STATE_IDLE    ? "-"
                      : slot.state() == v1::Slot::STATE_STUCK ? "STUCK"
                                                              : slot.job_id(),
                      " ");
    }
    return shown;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  WorkerRecord worker_;
  std::deque<Job> jobs_;
};

TEST_F(WorkerViewTest, AttemptsAreShownInTheirSlotsAndNewOnesInIdleOnes) {
  Job& first = Hold("first");
  Report(&first, 2);
  EXPECT_EQ(Slots(), "0:- 1:- 2:first ");
  Hold("new");
  EXPECT_EQ(Slots(), "0:new 1:- 2:first ");
  Report(&Hold("warming"), -1);
  EXPECT_EQ(Slots(), "0:warming 1:new 2:first ");
}

TEST_F(WorkerViewTest, OfJobsInOneProcessTheOneThatHasStartedIsShown) {
  SetInFlight(4);
  for (const char* id : {"ahead", "running", "also-ahead"}) {
    Report(&Hold(id), 1);
  }
  Start(&jobs_[1]);
  EXPECT_EQ(Slots(), "0:- 1:running 2:- ");
  Hold("assigned");
  EXPECT_EQ(Slots(), "0:- 1:running 2:- ");
}

TEST_F(WorkerViewTest, MoreJobsInFlightThanSlotsAddNoSlots) {
  SetInFlight(64);
  for (int i = 0; i < 10; ++i) Report(&Hold(absl::StrCat("j", i)), 0);
  EXPECT_EQ(ToProto(worker_, now_).slots_size(), 3);
}

TEST_F(WorkerViewTest, StatusesOfWarmOrDegradedTypesAreShownInOrderOfName) {
  worker_.SetStatus({"c", "", 2, 3});
  worker_.SetStatus({"b", "", 1, 0});
  worker_.SetStatus({"a", "no cache", 1, 0});
  const v1::Worker shown = ToProto(worker_, now_);
  ASSERT_EQ(shown.task_type_statuses_size(), 2);
  EXPECT_EQ(shown.task_type_statuses(0).name(), "a");
  EXPECT_EQ(shown.task_type_statuses(0).degraded(), "no cache");
  EXPECT_EQ(shown.task_type_statuses(1).name(), "c");
  EXPECT_EQ(shown.task_type_statuses(1).in_flight(), 2);
  EXPECT_EQ(shown.task_type_statuses(1).warm_processes(), 3);
}

TEST_F(WorkerViewTest, S7_AStuckSlotIsShownAndAnotherOneIsInItsPlace) {
  worker_.stuck_slots = {0, 2};
  EXPECT_EQ(Slots(), "0:STUCK 1:- 2:STUCK 3:- 4:- ");
  Report(&Hold("first"), 3);
  Hold("new");
  EXPECT_EQ(Slots(), "0:STUCK 1:new 2:STUCK 3:first 4:- ");
}

TEST_F(WorkerViewTest, S7_ASlotThatTookAnothersPlaceIsNotOneMore) {
  worker_.slots_max = 1;
  worker_.stuck_slots = {0};
  Report(&Hold("first"), 1);
  EXPECT_EQ(Slots(), "0:STUCK 1:first ");
  worker_.stuck_slots.clear();
  EXPECT_EQ(Slots(), "1:first ");
}

TEST_F(WorkerViewTest, B9_HostAndNestingFilterAreShownOnceTheyAreKnown) {
  v1::Worker shown = ToProto(worker_, now_);
  EXPECT_FALSE(shown.has_host());
  EXPECT_FALSE(shown.has_nesting_filter());
  HostLoad host;
  host.load_average = 2.5;
  host.memory_available_bytes = 7;
  host.stress = {"hot"};
  worker_.host = host;
  worker_.hello.nesting_filter = {NestingFilter::State::kUnavailable, "why"};
  shown = ToProto(worker_, now_);
  EXPECT_EQ(shown.host().load_average(), 2.5);
  EXPECT_EQ(shown.host().stress(0), "hot");
  EXPECT_EQ(shown.load_average(), 2.5);
  EXPECT_EQ(shown.memory_available_bytes(), 7);
  EXPECT_EQ(shown.nesting_filter().state(),
            v1::NestingFilter::STATE_UNAVAILABLE);
  EXPECT_EQ(shown.nesting_filter().problem(), "why");
}

TEST_F(WorkerViewTest, UsableSlotsAreShownWithTheirCauseOnlyWhenTheyAreFewer) {
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().slots(), 3);
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().cause(), "");
  worker_.SetUsable(2, "a cause");
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().slots(), 2);
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().cause(), "a cause");
  worker_.slots_max = 1;
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().slots(), 1);
  EXPECT_EQ(ToProto(worker_, now_).usable_slots().cause(), "");
}

}  // namespace
}  // namespace vigil::coordinator
