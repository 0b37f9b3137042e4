// Proves how a batch is submitted, watched, cancelled and carried through
// trouble, against a scripted coordinator in this process that keeps the jobs
// in a table. Nothing here depends on how long anything takes.
#include "client/cli/batch_runner.h"

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/test_dir.h"
#include "client/cli/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// What a job does once it is watched; the job's argument chooses it.
constexpr char kHangs[] = "hang";

class BatchRunnerTest : public ::testing::Test {
 protected:
  BatchRunnerTest() {
    fake_.on_submit_many = [this](const auto& request, auto* response) {
      return Submit(request, response);
    };
    fake_.on_watch = [this](auto* context, const auto& request,
                            const auto& write) {
      return Watch(context, request, write);
    };
    fake_.on_cancel = [this](const auto& request, auto*) {
      std::lock_guard<std::mutex> lock(mu_);
      cancelled_.insert(request.job_id());
      return grpc::Status::OK;
    };
    options_.spec.mutable_command()->add_argv("run");
    options_.batch_id = "b";
    options_.reconnect = absl::Seconds(60);
  }

  // Runs a batch of these items to its end, or until `stop` says so.
  void Run(
      const std::vector<std::string>& items,
      const std::function<bool()>& stop = [] { return false; }) {
    fake_.Start(address_);
    const std::string file = dir_.path() + "/items";
    ASSERT_TRUE(WriteFile(file, absl::StrJoin(items, "\n") + "\n").ok());
    source_ = *ItemSource::Open(file, ItemSplitter::Separator::kNewline);
    client::ClientOptions options;
    options.backoff.initial_interval = absl::Milliseconds(1);
    options.backoff.maximum_interval = absl::Milliseconds(10);
    options.backoff.give_up_after = options_.reconnect;
    client_ = *client::Client::Connect(address_, options);
    if (save_) {
      saver_ = std::make_unique<OutputSaver>(client_.get(), events_.get(),
                                             dir_.path(), absl::Seconds(60));
    }
    runner_ =
        std::make_unique<BatchRunner>(options_, client_.get(), events_.get(),
                                      &clock_, source_.get(), saver_.get());
    runner_->on_result = [this](const ItemResult& result) {
      results_.push_back(result);
    };
    while (!runner_->finished() && !stop()) {
      in_flight_max_ = std::max(in_flight_max_, runner_->in_flight());
      runner_->Step(clock_.Now() + absl::Seconds(1));
    }
    client_.reset();
  }

  grpc::Status Submit(const v1::SubmitJobsRequest& request,
                      v1::SubmitJobsResponse* response) {
    std::lock_guard<std::mutex> lock(mu_);
    if (submit_fails_ > 0) {
      --submit_fails_;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
    }
    for (const auto& job : request.jobs()) {
      auto* result = response->add_results();
      const std::string& item = *job.spec().command().argv().rbegin();
      if (auto refused = refusals_.find(item); refused != refusals_.end()) {
        *result->mutable_refusal() = refused->second;
        if (refused->second.has_retry_delay()) refusals_.erase(refused);
        continue;
      }
      submitted_.push_back(job);
      result->set_job_id(absl::StrCat("j-", item));
    }
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext* context,
                     const v1::WatchJobRequest& request,
                     const client::FakeCoordinator::Write& write) {
    const std::string& job_id = request.job_id();
    v1::Job::State state = v1::Job::STATE_SUCCEEDED;
    if (job_id == absl::StrCat("j-", kHangs)) {
      write(client::JobEvent(job_id, v1::Job::STATE_RUNNING, "c"));
      while (!IsCancelled(job_id)) {
        if (context->IsCancelled()) return grpc::Status::CANCELLED;
        absl::SleepFor(absl::Milliseconds(1));
      }
      state = v1::Job::STATE_CANCELLED;
    }
    if (job_id == "j-forgotten") {
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such job");
    }
    v1::WatchEvent event = client::JobEvent(job_id, state, "c");
    event.mutable_job()->add_attempts()->set_number(1);
    write(event);
    return grpc::Status::OK;
  }

  bool IsCancelled(const std::string& job_id) {
    std::lock_guard<std::mutex> lock(mu_);
    return cancelled_.count(job_id) > 0;
  }

  void Refuse(const std::string& item, grpc::StatusCode code) {
    refusals_[item].set_code(code);
    refusals_[item].set_message("refused by the test");
  }

  std::vector<std::string> Results() {
    std::vector<std::string> lines;
    for (const ItemResult& result : results_) {
      lines.push_back(absl::StrCat(
          result.item.text, " ",
          result.has_job ? StateName(result.job.state())
                         : absl::StrCat(result.state, " ", result.reason)));
    }
    return lines;
  }

  const client::TestDir dir_;
  const std::string address_ = absl::StrCat("unix:", dir_.path(), "/s");
  const Clock clock_;
  std::unique_ptr<EventQueue> events_ = *EventQueue::Create();
  BatchOptions options_;
  bool save_ = false;

  std::mutex mu_;
  std::vector<v1::SubmitJobRequest> submitted_;
  std::map<std::string, v1::SubmitJobsResponse::Refusal> refusals_;
  std::set<std::string> cancelled_;
  int submit_fails_ = 0;
  client::FakeCoordinator fake_;

  std::unique_ptr<ItemSource> source_;
  std::unique_ptr<OutputSaver> saver_;
  std::unique_ptr<BatchRunner> runner_;
  std::unique_ptr<client::Client> client_;
  std::vector<ItemResult> results_;
  int64_t in_flight_max_ = 0;
};

TEST_F(BatchRunnerTest, RunsEveryItemToItsEnd) {
  Run({"a", "b", "c"});
  EXPECT_THAT(Results(), UnorderedElementsAre("a SUCCEEDED", "b SUCCEEDED",
                                              "c SUCCEEDED"));
  EXPECT_TRUE(runner_->failure().ok());
  EXPECT_EQ(runner_->progress().done, 3);
  EXPECT_EQ(runner_->progress().total, 3);
}

TEST_F(BatchRunnerTest, EndsAtOnceWithoutItems) {
  Run({});
  EXPECT_THAT(Results(), ElementsAre());
}

TEST_F(BatchRunnerTest, SubmitsTheItemUnderAnIdOfItsOwnWithTheBatchsLabel) {
  Run({"a", "b"});
  ASSERT_EQ(submitted_.size(), 2u);
  EXPECT_THAT(submitted_[1].spec().command().argv(), ElementsAre("run", "b"));
  EXPECT_EQ(submitted_[0].request_id(), "b-1");
  EXPECT_EQ(submitted_[1].request_id(), "b-2");
  EXPECT_EQ(submitted_[1].spec().labels().at("vigil-batch"), "b");
}

TEST_F(BatchRunnerTest, ItemIsAnArgumentOfATaskType) {
  options_.spec.clear_command();
  options_.spec.set_task_type("t");
  fake_.on_submit_many = [this](const auto& request, auto* response) {
    submitted_.push_back(request.jobs(0));
    response->add_results()->set_job_id("j-a");
    return grpc::Status::OK;
  };
  Run({"a"});
  EXPECT_THAT(submitted_[0].spec().arguments(), ElementsAre("a"));
}

TEST_F(BatchRunnerTest, ItemIsPartOfTheInputInPlaceOfAnArgument) {
  options_.input.emplace("<{}>", InputTemplate::Syntax::kPlain);
  options_.spec.mutable_command()->add_argv("a");
  Run({"x", "y"});
  ASSERT_EQ(submitted_.size(), 2u);
  EXPECT_EQ(submitted_[0].spec().input(), "<x>");
  EXPECT_EQ(submitted_[1].spec().input(), "<y>");
  EXPECT_THAT(submitted_[1].spec().command().argv(), ElementsAre("run", "a"));
}

TEST_F(BatchRunnerTest, ItemIsAnArgumentWhereTheInputHasNoPlaceForIt) {
  options_.input.emplace("same", InputTemplate::Syntax::kPlain);
  Run({"x"});
  ASSERT_EQ(submitted_.size(), 1u);
  EXPECT_EQ(submitted_[0].spec().input(), "same");
  EXPECT_THAT(submitted_[0].spec().command().argv(), ElementsAre("run", "x"));
}

TEST_F(BatchRunnerTest, RefusesByItselfAnItemThatMakesTheInputTooLarge) {
  options_.input.emplace("{}{}{}{}", InputTemplate::Syntax::kPlain);
  options_.spec.mutable_command()->add_argv("j-ok");
  Run({std::string(kInputBytesMax / 4 + 1, 'x'), "ok"});
  ASSERT_EQ(results_.size(), 2u);
  EXPECT_EQ(results_[0].item.index, 1);
  EXPECT_EQ(results_[0].state, "REFUSED");
  EXPECT_THAT(results_[0].message, HasSubstr("more than 3145728 bytes"));
  EXPECT_EQ(results_[1].job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, KeepsItsWindow) {
  options_.window = 3;
  options_.watches = 2;
  std::vector<std::string> items;
  for (int i = 0; i < 100; ++i) items.push_back(absl::StrCat(i));
  Run(items);
  EXPECT_EQ(results_.size(), 100u);
  EXPECT_LE(in_flight_max_, 3);
}

TEST_F(BatchRunnerTest, RefusedItemFailsAlone) {
  Refuse("b", grpc::StatusCode::INVALID_ARGUMENT);
  Run({"a", "b", "c"});
  EXPECT_THAT(Results(),
              UnorderedElementsAre("a SUCCEEDED", "b REFUSED INVALID_ARGUMENT",
                                   "c SUCCEEDED"));
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, ItemThatIsNotTextFailsAlone) {
  Run({"a", "\xff", "c"});
  EXPECT_THAT(Results(), UnorderedElementsAre("a SUCCEEDED",
                                              "\xff REFUSED INVALID_ARGUMENT",
                                              "c SUCCEEDED"));
}

TEST_F(BatchRunnerTest, RefusalThatConcernsAllEndsTheBatch) {
  Refuse("b", grpc::StatusCode::PERMISSION_DENIED);
  Run({"a", "b", kHangs});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kPermissionDenied);
  // What was accepted is cancelled, not left behind.
  EXPECT_THAT(Results(),
              UnorderedElementsAre("a SUCCEEDED", "b REFUSED PERMISSION_DENIED",
                                   "hang CANCELLED"));
}

TEST_F(BatchRunnerTest, ItemRefusedForAFullQueueIsSubmittedAgain) {
  Refuse("b", grpc::StatusCode::RESOURCE_EXHAUSTED);
  refusals_["b"].mutable_retry_delay()->set_nanos(1000000);
  Run({"a", "b", "c"});
  EXPECT_EQ(results_.size(), 3u);
  EXPECT_EQ(submitted_.size(), 3u);
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, SubmissionSurvivesARestart) {
  submit_fails_ = 3;
  Run({"a"});
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED"));
}

TEST_F(BatchRunnerTest, JobThatWasForgottenFailsAlone) {
  Run({"a", "forgotten"});
  EXPECT_THAT(Results(), UnorderedElementsAre("a SUCCEEDED",
                                              "forgotten UNKNOWN NOT_FOUND"));
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, GivesUpOnACoordinatorThatStaysAway) {
  options_.reconnect = absl::Milliseconds(5);
  submit_fails_ = 1000000;
  Run({"a"});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(runner_->finished());
}

TEST_F(BatchRunnerTest, CancelEndsWhatRunsAndSubmitsNoMore) {
  options_.window = 1;
  bool cancelled = false;
  Run({kHangs, "never"}, [&] {
    if (runner_->progress().running == 1 && !cancelled) {
      cancelled = true;
      runner_->Cancel();
    }
    return false;
  });
  EXPECT_TRUE(cancelled);
  EXPECT_THAT(Results(), ElementsAre("hang CANCELLED"));
  EXPECT_EQ(submitted_.size(), 1u);
}

TEST_F(BatchRunnerTest, SavesOutputPageByPageAndCountsWhatIsMissing) {
  save_ = true;
  fake_.on_read = [](const auto& request, auto* response) {
    const bool first = request.page_token().empty();
    auto* out = response->add_output();
    out->set_stream(v1::Output::STREAM_STDOUT);
    out->set_data(first ? "one " : "two");
    if (first) {
      response->set_next_page_token("2");
      response->add_gaps()->set_size_bytes(7);
    } else {
      auto* err = response->add_output();
      err->set_stream(v1::Output::STREAM_STDERR);
      err->set_data("oops");
    }
    return grpc::Status::OK;
  };
  Run({"a"});
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED"));
  EXPECT_EQ(ReadTail(dir_.path() + "/1.out", 100), "one two");
  EXPECT_EQ(ReadTail(dir_.path() + "/1.err", 100), "oops");
  EXPECT_EQ(runner_->missing_output_bytes(), 7);
}

TEST_F(BatchRunnerTest, OutputThatCannotBeSavedEndsTheBatch) {
  save_ = true;
  fake_.on_read = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::INTERNAL, "damaged");
  };
  Run({"a"});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED"));
}

}  // namespace
}  // namespace vigil::cli
