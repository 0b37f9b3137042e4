// Proves that a worker does what its coordinator asks and nothing else: real
// loop, real slots and real processes against a fake coordinator in this
// process. It waits for conditions with a generous bound, never for a time.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/worker_fixture.h"

namespace vigil::worker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kStdout = v1::Output::STREAM_STDOUT;
constexpr auto kStderr = v1::Output::STREAM_STDERR;

TEST_F(WorkerTest, RunsACommandAndSendsItsEndAfterAllItsOutput) {
  StartWorker();
  Assign(Shell("job", "echo out; echo problem >&2; exit 3"));
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_NONZERO_EXIT);
  EXPECT_THAT(end.failure().message(),
              HasSubstr("status 3; last line of stderr \"problem\""));
  EXPECT_EQ(end.exit().status(), 3);
  EXPECT_EQ(end.last().stdout_bytes(), 4);
  EXPECT_EQ(end.last().stderr_bytes(), 8);
  EXPECT_EQ(coordinator_.Output("job", kStdout), "out\n");
  EXPECT_EQ(coordinator_.Output("job", kStderr), "problem\n");
  const auto streams = coordinator_.streams();
  EXPECT_THAT(streams[0].output_before_end,
              ElementsAre(streams[0].output.size()));
}

TEST_F(WorkerTest, GivesTheTaskItsInputAndNothingOfItsOwnEnvironment) {
  setenv("SECRET_OF_THE_WORKER", "1", 1);
  StartWorker();
  v1::Assignment assignment = Shell("job", "cat; env | sort; pwd");
  assignment.mutable_spec()->set_input("from stdin\n");
  (*assignment.mutable_spec()->mutable_command()->mutable_env())["MINE"] = "2";
  Assign(assignment);
  EXPECT_FALSE(coordinator_.WaitForEnd("job").has_failure());
  const std::string out = coordinator_.Output("job", kStdout);
  EXPECT_THAT(out,
              AllOf(HasSubstr("from stdin\n"), HasSubstr("MINE=2\n"),
                    HasSubstr("VIGIL_ATTEMPT=1\nVIGIL_FENCE=1\n"
                              "VIGIL_JOB_ID=job\nVIGIL_TASK=job=job;attempt=1\n"
                              "VIGIL_WORKER_ID=the-worker\n"),
                    HasSubstr("PYTHONUNBUFFERED=1\n"), HasSubstr("/work/slot-"),
                    Not(HasSubstr("SECRET_OF_THE_WORKER"))));
}

TEST_F(WorkerTest, SaysWhyAProgramCannotBeStarted) {
  StartWorker();
  v1::Assignment assignment = Shell("job", "");
  assignment.mutable_spec()->mutable_command()->set_argv(0, "no-such-program");
  Assign(assignment);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_SPAWN_FAILED);
  EXPECT_EQ(end.spawn_errno(), ENOENT);
  EXPECT_THAT(end.failure().message(), HasSubstr("no-such-program"));
  v1::Assignment unknown = Shell("other", "");
  unknown.mutable_spec()->clear_command();
  unknown.mutable_spec()->set_task_type("nothing");
  Assign(unknown);
  EXPECT_THAT(coordinator_.WaitForEnd("other").failure().message(),
              HasSubstr("\"nothing\" is not in this worker's catalog"));
  v1::Assignment pattern = Shell("third", "true");
  pattern.mutable_spec()->mutable_activity()->set_ready_pattern("(");
  Assign(pattern);
  EXPECT_EQ(coordinator_.WaitForEnd("third").failure().reason(),
            v1::Failure::REASON_INVALID_INPUT);
}

TEST_F(WorkerTest, CancelKillsTheWholeTreeBeforeItIsReported) {
  StartWorker();
  v1::Assignment assignment = Shell(
      "job", "trap '' TERM; setsid sleep 1000 & echo $!; echo $$; wait; wait");
  vigil::ToProto(
      absl::Milliseconds(100),
      assignment.mutable_spec()->mutable_timeouts()->mutable_shutdown_grace());
  Assign(assignment);
  WaitForOutput("job", "\n");
  coordinator_.WaitUntil("both pids", [](const auto& streams) {
    return streams[0].output.size() >= 2 ||
           std::count(streams[0].output[0].output().data().begin(),
                      streams[0].output[0].output().data().end(), '\n') == 2;
  });
  Stop("job", v1::Failure::REASON_CANCELLED);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_CANCELLED);
  EXPECT_TRUE(end.evidence().killed());
  EXPECT_GE(end.evidence().leftover_processes_killed(), 1);
  EXPECT_FALSE(end.evidence().death_unconfirmed());
  EXPECT_FALSE(Alive(PidIn("job", 0)));
  EXPECT_FALSE(Alive(PidIn("job", 1)));
}

TEST_F(WorkerTest, SendsAgainExactlyWhatWasNotAcknowledged) {
  coordinator_.Behave([](auto& b) { b.acknowledge_output = false; });
  WorkerOptions options;
  options.slots = 2;
  StartWorker(std::move(options));
  Assign(Shell("job", "printf 1234567890; exec sleep 1000"));
  WaitForOutput("job", "1234567890");
  // The answer of the second job shows that the acknowledgement was taken.
  v1::AttachResponse response;
  v1::OutputAck* ack = response.add_output_acks();
  ack->mutable_attempt()->set_job_id("job");
  ack->mutable_attempt()->set_number(1);
  ack->set_total_bytes(7);
  *response.add_assignments() = Shell("second", "echo x");
  coordinator_.Send(response);
  coordinator_.WaitForEnd("second");
  coordinator_.Cut();
  coordinator_.WaitUntil(
      "output on the second stream", [](const auto& streams) {
        return streams.size() == 2 && !streams[1].output.empty() &&
               streams[1].heartbeats > 1;
      });
  const auto streams = coordinator_.streams();
  EXPECT_EQ(streams[1].attach.session_id(), streams[0].attach.session_id());
  ASSERT_EQ(streams[1].attach.running_size(), 1);
  EXPECT_EQ(streams[1].attach.running(0).job_id(), "job");
  ASSERT_EQ(streams[1].output.size(), 1);
  EXPECT_EQ(streams[1].output[0].output().offset(), 7);
  EXPECT_EQ(streams[1].output[0].output().data(), "890");
  EXPECT_EQ(coordinator_.Output("job", kStdout), "1234567890");
}

TEST_F(WorkerTest, AnEndThatWasNotAcknowledgedIsToldAgain) {
  coordinator_.Behave([](auto& b) { b.acknowledge_ends = false; });
  StartWorker();
  Assign(Shell("job", "echo x"));
  coordinator_.WaitForEnd("job");
  Assign(Shell("next", "exec sleep 1000"));  // its output was acknowledged
  coordinator_.WaitUntil("the next one", [](const auto& streams) {
    return std::any_of(streams[0].updates.begin(), streams[0].updates.end(),
                       [](const v1::AttemptUpdate& update) {
                         return update.attempt().job_id() == "next";
                       });
  });
  coordinator_.Cut();
  coordinator_.WaitUntil("a second stream", [](const auto& streams) {
    return streams.size() == 2 && streams[1].heartbeats > 0;
  });
  const auto streams = coordinator_.streams();
  ASSERT_EQ(streams[1].attach.ended_size(), 1);
  EXPECT_EQ(streams[1].attach.ended(0).attempt().job_id(), "job");
  EXPECT_TRUE(streams[1].ends.empty());
  ASSERT_EQ(streams[1].attach.running_size(), 1);
  EXPECT_EQ(streams[1].attach.running(0).job_id(), "next");
}

TEST_F(WorkerTest, AnEndWhoseOutputIsNotAcknowledgedFollowsItAgain) {
  coordinator_.Behave([](auto& b) {
    b.acknowledge_output = false;
    b.acknowledge_ends = false;
  });
  StartWorker();
  Assign(Shell("job", "echo x"));
  coordinator_.WaitForEnd("job");
  coordinator_.Cut();
  coordinator_.WaitUntil("the end again", [](const auto& streams) {
    return streams.size() == 2 && !streams[1].ends.empty();
  });
  const auto streams = coordinator_.streams();
  EXPECT_EQ(streams[1].attach.ended_size(), 0);
  EXPECT_EQ(streams[1].attach.running_size(), 1);
  EXPECT_EQ(streams[1].output.size(), 1);
  EXPECT_THAT(streams[1].output_before_end, ElementsAre(1));
}

TEST_F(WorkerTest, KillsWhatItRunsWhenItsLeaseIsOver) {
  coordinator_.Behave([](auto& b) { b.lease = absl::Seconds(1); });
  StartWorker();
  Assign(Shell("job", "echo $$; exec sleep 1000"));
  WaitForOutput("job", "\n");
  const pid_t pid = PidIn("job", 0);
  // As long as it is answered it lives, beyond one lease.
  const int64_t heartbeats = coordinator_.streams()[0].heartbeats;
  coordinator_.WaitUntil("more than a lease", [&](const auto& streams) {
    return streams[0].heartbeats > heartbeats + 30;
  });
  EXPECT_TRUE(Alive(pid));
  coordinator_.Behave([](auto& b) {
    b.answer_heartbeats = false;
    b.answer_attach = false;
  });
  coordinator_.WaitUntil(
      "another Attach", [](const auto& streams) { return streams.size() > 1; });
  while (Alive(pid)) absl::SleepFor(absl::Milliseconds(10));
  coordinator_.Behave([](auto& b) {
    b.answer_heartbeats = true;
    b.answer_attach = true;
  });
  coordinator_.Cut();
  coordinator_.WaitUntil("the end", [](const auto& streams) {
    const v1::Attach& attach = streams.back().attach;
    return attach.ended_size() == 1 && attach.ended(0).failure().reason() ==
                                           v1::Failure::REASON_WORKER_LOST;
  });
}

TEST_F(WorkerTest, AFencedSessionIsKilledAndFollowedByANewOne) {
  StartWorker();
  Assign(Shell("job", "echo $$; exec sleep 1000"));
  WaitForOutput("job", "\n");
  const pid_t pid = PidIn("job", 0);
  coordinator_.Behave([](auto& b) {
    b.refuse_attach = grpc::Status(grpc::StatusCode::ABORTED, "fenced");
  });
  coordinator_.Cut();
  coordinator_.WaitUntil(
      "a new session", [](const auto& streams) { return streams.size() == 3; });
  EXPECT_FALSE(Alive(pid));
  const auto streams = coordinator_.streams();
  EXPECT_EQ(streams[1].attach.session_id(), streams[0].attach.session_id());
  EXPECT_NE(streams[2].attach.session_id(), streams[0].attach.session_id());
  EXPECT_EQ(streams[2].attach.worker_id(), "the-worker");
}

// The coordinator may know that an attempt is over before that is durable: it
// has what it listed as running killed, crashes, and must be told again.
TEST_F(WorkerTest, KeepsAnEndThatIsNotAcknowledgedThoughItIsToBeKilled) {
  coordinator_.Behave([](auto& b) {
    b.acknowledge_output = false;
    b.acknowledge_ends = false;
  });
  StartWorker();
  Assign(Shell("job", "echo done"));
  coordinator_.WaitForEnd("job");
  coordinator_.Behave([](auto& b) { b.kill_running = true; });
  for (size_t stream = 1; stream <= 2; ++stream) {
    coordinator_.Cut();
    coordinator_.WaitUntil("the same end", [stream](const auto& streams) {
      return streams.size() > stream && streams[stream].ends.size() == 1;
    });
    const v1::Attach attach = coordinator_.streams()[stream].attach;
    ASSERT_EQ(attach.running_size(), 1);
    EXPECT_EQ(attach.running(0).job_id(), "job");
  }
}

TEST_F(WorkerTest, EndsWhenTheCoordinatorSpeaksNoVersionOfIts) {
  StartWorker();
  coordinator_.Behave([](auto& b) {
    b.refuse_attach =
        grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "too old");
  });
  coordinator_.Cut();
  EXPECT_EQ(Join(), WorkerExit::kRefused);
}

TEST_F(WorkerTest, ASilentTaskIsEndedWithItsLastOutputAsEvidence) {
  StartWorker();
  v1::Assignment assignment = Shell("job", "echo loading; exec sleep 1000");
  vigil::ToProto(absl::Milliseconds(300), assignment.mutable_spec()
                                              ->mutable_timeouts()
                                              ->mutable_inactivity_timeout());
  Assign(assignment);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_INACTIVITY_TIMEOUT);
  EXPECT_THAT(end.failure().message(), HasSubstr("; last output \"loading\""));
  EXPECT_THAT(end.failure().advice(), Not(HasSubstr("buffering")));
  EXPECT_EQ(end.evidence().last_output(), "loading\n");
  EXPECT_EQ(end.exit().signal(), SIGTERM);
}

TEST_F(WorkerTest, ASilentTaskThatWorkedIsSaidToBuffer) {
  StartWorker();
  v1::Assignment assignment =
      Shell("job", "echo start; while :; do :; done | cat");
  vigil::ToProto(absl::Seconds(1), assignment.mutable_spec()
                                       ->mutable_timeouts()
                                       ->mutable_inactivity_timeout());
  Assign(assignment);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_INACTIVITY_TIMEOUT);
  EXPECT_THAT(end.failure().advice(), HasSubstr("buffering is likely"));
  EXPECT_GT(FromProto(end.evidence().cpu_time_in_silence()),
            absl::Milliseconds(100));
}

TEST_F(WorkerTest, ReadinessAndProgressAreReadFromLines) {
  StartWorker();
  v1::Assignment assignment = Shell(
      "job", "echo noise; printf 'ready\\r 3 of 8\\n' >&2; exec sleep 1000");
  assignment.mutable_spec()->mutable_activity()->set_ready_pattern("^ready$");
  assignment.mutable_spec()->mutable_activity()->set_progress_pattern(
      "(\\d+) of (\\d+)");
  Assign(assignment);
  coordinator_.WaitUntil("both", [](const auto& streams) {
    const auto& updates = streams[0].updates;
    return std::any_of(updates.begin(), updates.end(),
                       [](const v1::AttemptUpdate& update) {
                         return update.phase() == v1::Attempt::PHASE_ACTIVE &&
                                update.progress().done() == 3 &&
                                update.progress().total() == 8;
                       });
  });
}

TEST_F(WorkerTest, StopsReadingWhatNobodyTakes) {
  coordinator_.Behave([](auto& b) { b.acknowledge_output = false; });
  StartWorker();
  v1::Assignment assignment = Shell("job", "exec yes");
  vigil::ToProto(absl::Milliseconds(300), assignment.mutable_spec()
                                              ->mutable_timeouts()
                                              ->mutable_inactivity_timeout());
  Assign(assignment);
  // It waits far longer than the inactivity timeout, and is not blamed.
  coordinator_.WaitUntil("a long rest", [](const auto& streams) {
    return !streams[0].output.empty() && streams[0].heartbeats > 30;
  });
  const std::string out = coordinator_.Output("job", kStdout);
  EXPECT_GE(out.size(), size_t{900} << 10);
  EXPECT_LE(out.size(), size_t{2} << 20);
  EXPECT_TRUE(coordinator_.streams()[0].ends.empty());
  v1::AttachResponse response;
  v1::OutputAck* ack = response.add_output_acks();
  ack->mutable_attempt()->set_job_id("job");
  ack->mutable_attempt()->set_number(1);
  ack->set_total_bytes(static_cast<int64_t>(out.size()));
  coordinator_.Send(response);
  coordinator_.WaitUntil("more", [&](const auto& streams) {
    size_t total = 0;
    for (const v1::AttemptOutput& output : streams[0].output) {
      total += output.output().data().size();
    }
    return total > out.size() + (size_t{500} << 10);
  });
}

TEST_F(WorkerTest, ALostSlotIsSweptUpAfterAndReplaced) {
  StartWorker();
  Assign(Shell("job", "setsid sleep 1000 & echo $!; echo $PPID; wait"));
  coordinator_.WaitUntil("both pids", [](const auto& streams) {
    std::string all;
    for (const auto& output : streams[0].output) all += output.output().data();
    return std::count(all.begin(), all.end(), '\n') == 2;
  });
  const pid_t grandchild = PidIn("job", 0);
  kill(PidIn("job", 1), SIGKILL);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_WORKER_LOST);
  EXPECT_FALSE(Alive(grandchild));
  Assign(Shell("next", "echo works"));
  EXPECT_FALSE(coordinator_.WaitForEnd("next").has_failure());
}

TEST_F(WorkerTest, AStoppedSlotIsReplacedAfterItsSilence) {
  StartWorker();
  Assign(Shell("job", "echo $$; echo $PPID; exec sleep 1000"));
  coordinator_.WaitUntil("both pids", [](const auto& streams) {
    std::string all;
    for (const auto& output : streams[0].output) all += output.output().data();
    return std::count(all.begin(), all.end(), '\n') == 2;
  });
  kill(PidIn("job", 1), SIGSTOP);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(end.failure().reason(), v1::Failure::REASON_WORKER_LOST);
  EXPECT_FALSE(Alive(PidIn("job", 0)));
}

TEST_F(WorkerTest, ATerminalIsOneStream) {
  StartWorker();
  v1::Assignment assignment =
      Shell("job", "test -t 1 && echo yes; echo err >&2; exit 1");
  assignment.mutable_spec()->set_pty(true);
  Assign(assignment);
  const v1::AttemptEnd end = coordinator_.WaitForEnd("job");
  EXPECT_EQ(coordinator_.Output("job", kStdout), "yes\r\nerr\r\n");
  EXPECT_THAT(end.failure().message(),
              HasSubstr("last line of stderr \"err\""));
}

TEST_F(WorkerTest, TheEndOfItsParentEndsItWithItsTasks) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  WorkerOptions options;
  options.parent_fd.Reset(ends[0]);
  StartWorker(std::move(options));
  Assign(Shell("job", "trap '' TERM; echo $$; sleep 1000"));
  WaitForOutput("job", "\n");
  const pid_t pid = PidIn("job", 0);
  close(ends[1]);
  EXPECT_EQ(Join(), WorkerExit::kOk);
  EXPECT_FALSE(Alive(pid));
}

}  // namespace
}  // namespace vigil::worker
