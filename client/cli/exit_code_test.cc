// Proves the exit status for each way in which a job can end.
#include "client/cli/exit_code.h"

#include <errno.h>
#include <signal.h>

#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

v1::Job Failed(v1::Failure::Reason reason) {
  v1::Job job;
  job.set_state(v1::Job::STATE_FAILED);
  job.mutable_failure()->set_reason(reason);
  return job;
}

v1::Job Exited(v1::Failure::Reason reason, int status) {
  v1::Job job = Failed(reason);
  job.mutable_exit()->set_status(status);
  return job;
}

v1::Job Signalled(v1::Failure::Reason reason, int signal) {
  v1::Job job = Failed(reason);
  job.mutable_exit()->set_signal(signal);
  return job;
}

TEST(ExitCodeFor, SuccessIsZero) {
  v1::Job job;
  job.set_state(v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(ExitCodeFor(job), 0);
}

TEST(ExitCodeFor, ProgramsOwnStatusWhereItFailedByItself) {
  for (auto reason :
       {v1::Failure::REASON_NONZERO_EXIT, v1::Failure::REASON_TASK_ERROR,
        v1::Failure::REASON_INVALID_INPUT,
        v1::Failure::REASON_RESOURCE_EXHAUSTED}) {
    EXPECT_EQ(ExitCodeFor(Exited(reason, 65)), 65) << reason;
  }
}

TEST(ExitCodeFor, AnyClockIs124WhateverTheProgramDidThen) {
  for (auto reason : {v1::Failure::REASON_STARTUP_TIMEOUT,
                      v1::Failure::REASON_INACTIVITY_TIMEOUT,
                      v1::Failure::REASON_PROGRESS_TIMEOUT,
                      v1::Failure::REASON_START_TO_CLOSE_TIMEOUT,
                      v1::Failure::REASON_SCHEDULE_TO_START_TIMEOUT,
                      v1::Failure::REASON_SCHEDULE_TO_CLOSE_TIMEOUT,
                      v1::Failure::REASON_SLOW_CHUNKS}) {
    EXPECT_EQ(ExitCodeFor(Exited(reason, 0)), 124) << reason;
    EXPECT_EQ(ExitCodeFor(Failed(reason)), 124) << reason;
  }
}

TEST(ExitCodeFor, SignalIs128AndItsNumber) {
  v1::Job job = Failed(v1::Failure::REASON_SIGNALLED);
  job.mutable_exit()->set_signal(11);
  EXPECT_EQ(ExitCodeFor(job), 139);
}

TEST(ExitCodeFor, NotFoundIs127AndNotStartableIs126) {
  v1::Job job = Failed(v1::Failure::REASON_SPAWN_FAILED);
  EXPECT_EQ(ExitCodeFor(job), 126);
  job.add_attempts()->set_spawn_errno(EACCES);
  EXPECT_EQ(ExitCodeFor(job), 126);
  // The last attempt counts.
  job.add_attempts()->set_spawn_errno(ENOENT);
  EXPECT_EQ(ExitCodeFor(job), 127);
}

TEST(ExitCodeFor, VigilsOwnFailureIs125EvenIfTheProgramExited) {
  for (auto reason :
       {v1::Failure::REASON_WORKER_LOST, v1::Failure::REASON_INTERNAL,
        v1::Failure::REASON_DRAINED}) {
    EXPECT_EQ(ExitCodeFor(Exited(reason, 7)), 125) << reason;
  }
}

TEST(ExitCodeFor, ANestedPoolIs124UnlessTheProgramExitedOfIt) {
  EXPECT_EQ(ExitCodeFor(Signalled(v1::Failure::REASON_NESTED_POOL, SIGTERM)),
            124);
  EXPECT_EQ(ExitCodeFor(Exited(v1::Failure::REASON_NESTED_POOL, 7)), 7);
}

TEST(ExitCodeFor, FailureOfAProgramThatExitedWithZeroIs125) {
  EXPECT_EQ(ExitCodeFor(Exited(v1::Failure::REASON_INVALID_RESULT, 0)), 125);
}

TEST(ExitCodeFor, ErrorReportedByATaskThatStaysIsOne) {
  for (auto reason :
       {v1::Failure::REASON_TASK_ERROR, v1::Failure::REASON_INVALID_INPUT,
        v1::Failure::REASON_INVALID_RESULT, v1::Failure::REASON_OUT_OF_MEMORY,
        v1::Failure::REASON_RESOURCE_EXHAUSTED}) {
    EXPECT_EQ(ExitCodeFor(Failed(reason)), 1) << reason;
  }
  EXPECT_EQ(ExitCodeFor(Failed(v1::Failure::REASON_PROTOCOL_ERROR)), 125);
}

TEST(ExitCodeFor, UnknownReasonIs125) {
  EXPECT_EQ(ExitCodeFor(Failed(static_cast<v1::Failure::Reason>(77))), 125);
}

TEST(ExitCodeFor, CancelledIs130) {
  v1::Job job;
  job.set_state(v1::Job::STATE_CANCELLED);
  EXPECT_EQ(ExitCodeFor(job), 130);
}

}  // namespace
}  // namespace vigil::cli
