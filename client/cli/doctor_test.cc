// Proves what `vigil doctor` makes of coordinators that misbehave, its exit
// status and its end by Ctrl+C, as a process against a scripted coordinator.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "base/clock.h"
#include "base/wire/time_wire.h"
#include "client/cli/doctor_checks.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class DoctorTest : public VigilFixture {
 protected:
  DoctorTest() {
    fake_.on_status = [](auto*) { return grpc::Status::OK; };
    fake_.on_list_workers = [this](const auto&, auto* response) {
      v1::Worker* worker = response->add_workers();
      worker->set_worker_id("w");
      worker->set_state(v1::Worker::STATE_CONNECTED);
      worker->set_allow_commands(true);
      ToProto(clock_.Now(), worker->mutable_last_heartbeat_time());
      for (int i = 0; i < 2; ++i) {
        worker->add_slots()->set_state(v1::Slot::STATE_IDLE);
      }
      return grpc::Status::OK;
    };
  }

  // Runs jobs that do not end before their stream or `over` does.
  void RunForEver(absl::Notification* begun, absl::Notification* over) {
    fake_.on_run = [begun, over](grpc::ServerContext* context, const auto&,
                                 const client::FakeCoordinator::Write& write) {
      write(client::JobEvent("j", v1::Job::STATE_RUNNING, "1"));
      if (begun != nullptr && !begun->HasBeenNotified()) begun->Notify();
      while (!context->IsCancelled() &&
             !over->WaitForNotificationWithTimeout(absl::Milliseconds(5))) {
      }
      write(client::JobEvent("j", v1::Job::STATE_CANCELLED, "2"));
      return grpc::Status::OK;
    };
  }

  // What it wrote but for the first line and the last.
  static std::vector<std::string> Lines(const VigilProcess& vigil) {
    std::vector<std::string> lines = absl::StrSplit(vigil.out(), '\n');
    if (lines.size() < 3) return lines;
    return {lines.begin() + 1, lines.end() - 2};
  }

  const Clock clock_;
};

TEST_F(DoctorTest, SkipsWhatACoordinatorDoesNotPermit) {
  const grpc::Status denied(grpc::StatusCode::PERMISSION_DENIED,
                            "no commands; see --allow_commands");
  fake_.on_run = [&](auto*, const auto&, const auto&) { return denied; };
  fake_.on_run_batch = [&](auto*, auto*) { return denied; };
  fake_.Start(address_);
  VigilProcess vigil = Start({"doctor"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(Lines(vigil),
              AllOf(SizeIs(AllChecks().size()),
                    Each(AllOf(StartsWith("skipped"),
                               HasSubstr("see --allow_commands")))));
  EXPECT_THAT(vigil.err(), IsEmpty());
}

TEST_F(DoctorTest, OneThatFailsDoesNotStopTheOthers) {
  // Every job succeeds at once, whatever it was to do.
  fake_.on_run = [](auto*, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "1"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil =
      Start({"doctor", "--only=NESTED-POOL,timeout", "--only=chunks"});
  EXPECT_EQ(vigil.Wait(), 123);
  const std::vector<std::string> lines = Lines(vigil);
  // The last advice is that of the line before, and not repeated.
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[0], StartsWith("FAILED  nested pool  a task had two"));
  EXPECT_THAT(lines[1], StartsWith("        its worker does not hold tasks"));
  EXPECT_THAT(lines[2], HasSubstr("it was to end INACTIVITY_TIMEOUT"));
  EXPECT_THAT(lines[4], HasSubstr("SLOW_CHUNKS"));
  EXPECT_THAT(vigil.out(), HasSubstr("\n3 checks: 0 ok, 3 FAILED\n"));
}

TEST_F(DoctorTest, ACheckThatHangsFailsAtItsTimeoutAndIsCancelled) {
  absl::Notification over;
  RunForEver(nullptr, &over);
  fake_.on_cancel = [&](const auto& request, auto*) {
    EXPECT_EQ(request.namespace_(), "vigil-doctor");
    EXPECT_EQ(request.job_id(), "j");
    if (!over.HasBeenNotified()) over.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil =
      Start({"doctor", "--only=timeout", "--timeout=50ms", "-o", "json"});
  EXPECT_EQ(vigil.Wait(), 123);
  EXPECT_TRUE(over.HasBeenNotified());
  EXPECT_THAT(
      vigil.out(),
      AllOf(StartsWith("{\"check\":\"timeout\",\"state\":\"FAILED\","),
            HasSubstr("job j was still RUNNING after 0.05s"),
            HasSubstr("\"advice\":\"look whether a worker is stopped")));
  // Before what its handlers use goes away.
  fake_.Stop();
}

TEST_F(DoctorTest, InterruptCancelsItsJobsAndEndsIt) {
  absl::Notification begun;
  absl::Notification over;
  RunForEver(&begun, &over);
  fake_.on_cancel = [&](const auto&, auto*) {
    over.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"doctor", "--only=timeout,chunks"});
  begun.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  EXPECT_TRUE(over.HasBeenNotified());
  EXPECT_EQ(vigil.err(),
            "vigil: interrupted; the checks that are not listed were not "
            "made\n");
  fake_.Stop();
}

TEST_F(DoctorTest, NobodyAtTheAddressIsNoFinding) {
  VigilProcess vigil = Start({"doctor"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.out(), IsEmpty());
  EXPECT_THAT(vigil.err(), HasSubstr("nobody listens there"));
}

TEST_F(DoctorTest, ACoordinatorThatDoesNotAnswerIsNotWaitedFor) {
  absl::Notification over;
  fake_.on_status = [&](auto*) {
    over.WaitForNotification();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"doctor", "--timeout=50ms"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("does not answer within 0.05s"));
  over.Notify();
  // Before what its handler uses goes away.
  fake_.Stop();
}

TEST_F(DoctorTest, ATaskCannotHaveItsHostExamined) {
  VigilProcess vigil = StartInTask({"doctor"}, {"VIGIL_ADDRESS=" + address_});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("NESTED_DISPATCH"));
}

TEST_F(DoctorTest, MisuseIsToldWithWhatIsMeant) {
  VigilProcess typo = Start({"doctor", "--only=bacth"});
  EXPECT_EQ(typo.Wait(), 125);
  EXPECT_THAT(typo.err(), HasSubstr("no check `bacth`; did you mean `batch`?"));
  VigilProcess word = Start({"doctor", "batch"});
  EXPECT_EQ(word.Wait(), 125);
  EXPECT_THAT(word.err(), HasSubstr("vigil doctor --only=batch"));
  VigilProcess zero = Start({"doctor", "--timeout=0"});
  EXPECT_EQ(zero.Wait(), 125);
  EXPECT_THAT(zero.err(), HasSubstr("must be positive"));
  VigilProcess help = Start({"doctor", "--help"});
  EXPECT_EQ(help.Wait(), 0);
  for (const Check& check : AllChecks()) {
    EXPECT_THAT(help.out(), HasSubstr(check.name));
  }
}

}  // namespace
}  // namespace vigil::cli
