// Proves which workers `vigil worker clear-cache` and `vigil worker sweep` ask,
// what they write of each, and their exit status, as a process against a
// scripted coordinator.
#include <signal.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class WorkerTest : public VigilFixture {
 protected:
  WorkerTest() {
    // Two pages: one worker each, and others that it does not concern.
    fake_.on_list_workers = [](const auto& request, auto* response) {
      const bool second = request.page_token() == "2";
      AddWorker(second ? "w2" : "w1", v1::Worker::STATE_CONNECTED, "t",
                response);
      AddWorker("gone", v1::Worker::STATE_LOST, "t", response);
      AddWorker("other", v1::Worker::STATE_CONNECTED, "u", response);
      if (!second) response->set_next_page_token("2");
      return grpc::Status::OK;
    };
    fake_.on_clear_cache = [this](const auto& request) {
      EXPECT_EQ(request.task_type(), "t");
      return answers_[request.worker_id()];
    };
  }

  static void AddWorker(const std::string& id, v1::Worker::State state,
                        const std::string& type,
                        v1::ListWorkersResponse* response) {
    v1::Worker* worker = response->add_workers();
    worker->set_worker_id(id);
    worker->set_state(state);
    worker->add_task_types(type);
  }

  const grpc::Status unexpected_{grpc::StatusCode::INTERNAL, "not asked for"};
  std::map<std::string, grpc::Status> answers_ = {
      {"w1", {}}, {"w2", {}}, {"gone", unexpected_}, {"other", unexpected_}};
};

TEST_F(WorkerTest, ClearsTheCacheOfEveryConnectedWorkerThatOffersTheType) {
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "clear-cache", "t"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(absl::StrSplit(vigil.out(), '\n'),
              UnorderedElementsAre("w1  cleared", "w2  cleared", ""));
  EXPECT_THAT(vigil.err(), IsEmpty());
}

TEST_F(WorkerTest, OneWorkerIsAskedWithoutLookingForOthers) {
  fake_.on_list_workers = nullptr;
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "clear-cache", "--worker=w2", "t"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_EQ(vigil.out(), "w2  cleared\n");
}

TEST_F(WorkerTest, SaysWhichWorkerDidNotAndWhatToDo) {
  answers_["w1"] =
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "it runs job j");
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "clear-cache", "t"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_EQ(vigil.out(), "w2  cleared\n");
  EXPECT_EQ(vigil.err(),
            "vigil: worker w1: FAILED_PRECONDITION: it runs job j; try again "
            "when it is connected and runs no job of this type\n");
}

TEST_F(WorkerTest, TypeThatNobodyOffersIsAFailure) {
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "clear-cache", "v"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("no connected worker offers `v`"));
  fake_.on_list_workers = nullptr;
  VigilProcess error = Start({"worker", "clear-cache", "v"});
  EXPECT_EQ(error.Wait(), 125);
  EXPECT_EQ(error.err(), "vigil: UNIMPLEMENTED: not scripted by the test\n");
}

TEST_F(WorkerTest, InterruptLeavesAtOnce) {
  absl::Notification asked;
  absl::Notification left;
  fake_.on_clear_cache = [&](const auto&) {
    asked.Notify();
    left.WaitForNotification();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "clear-cache", "t", "--worker=w1"});
  asked.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  left.Notify();
  // Before what its handler uses goes away.
  fake_.Stop();
}

TEST_F(WorkerTest, SweepTellsOfEachProcessOfEveryConnectedWorker) {
  fake_.on_sweep = [](const auto& request, auto* response) {
    EXPECT_FALSE(request.dry_run());
    if (request.worker_id() != "w1") return grpc::Status::OK;
    v1::SweptProcess* process = response->mutable_result()->add_processes();
    process->set_pid(17);
    process->set_start_ticks(9000);
    process->set_command("sleep\n1000");
    process->set_found_by("by the worker's mark in its environment");
    process->set_killed(true);
    response->mutable_result()->set_unreadable(1);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "sweep"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(
      absl::StrSplit(vigil.out(), '\n'),
      UnorderedElementsAre(
          "w1  pid 17  started 1m30s after boot  sleep\\n1000  found by the "
          "worker's mark in its environment  killed",
          "w1  1 process of others may not be looked into",
          "w2  nothing is left behind", "other  nothing is left behind", ""));
  EXPECT_THAT(vigil.err(), IsEmpty());
}

TEST_F(WorkerTest, ADrySweepKillsNothingWithADashOrAnUnderscore) {
  fake_.on_list_workers = nullptr;
  fake_.on_sweep = [](const auto& request, auto* response) {
    EXPECT_TRUE(request.dry_run());
    EXPECT_EQ(request.worker_id(), "w2");
    response->mutable_result()->add_processes()->set_pid(17);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  for (const char* flag : {"--dry-run", "--dry_run"}) {
    VigilProcess vigil = Start({"worker", "sweep", flag, "--worker=w2"});
    EXPECT_EQ(vigil.Wait(), 0);
    EXPECT_THAT(vigil.out(), HasSubstr("pid 17 "));
    EXPECT_THAT(vigil.out(), HasSubstr("would be killed\n"));
  }
}

TEST_F(WorkerTest, WhatASweepCouldNotKillIsAFailure) {
  fake_.on_sweep = [](const auto&, auto* response) {
    response->mutable_result()->add_processes()->set_pid(17);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "sweep", "--worker=w1"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.out(), HasSubstr("could not be killed\n"));
  EXPECT_THAT(vigil.err(), HasSubstr("1 process could not be killed"));
}

TEST_F(WorkerTest, MisuseIsToldWithWhatIsMeant) {
  VigilProcess typo = Start({"worker", "clear-cahce", "t"});
  EXPECT_EQ(typo.Wait(), 125);
  EXPECT_THAT(typo.err(), HasSubstr("did you mean `clear-cache`?"));
  VigilProcess dry = Start({"worker", "clear-cache", "t", "--dry_run"});
  EXPECT_EQ(dry.Wait(), 125);
  EXPECT_THAT(dry.err(), HasSubstr("--dry_run is for `vigil worker sweep`"));
  for (const char* words : {"worker", "worker clear-cache"}) {
    VigilProcess vigil = Start(absl::StrSplit(words, ' '));
    EXPECT_EQ(vigil.Wait(), 125);
    EXPECT_THAT(vigil.err(), HasSubstr("vigil worker clear-cache TYPE"))
        << words;
  }
}

}  // namespace
}  // namespace vigil::cli
