// Proves how a batch is given its items, cancelled and carried through trouble,
// against a scripted coordinator in this process. Nothing here depends on how
// long anything takes.
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
#include "client/cli/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// What becomes of an item; its argument chooses it.
constexpr char kHangs[] = "hang";
constexpr char kRefused[] = "refused";
constexpr char kForgotten[] = "forgotten";
// The stream breaks behind its result.
constexpr char kBreaks[] = "break";

class BatchRunnerTest : public ::testing::Test {
 protected:
  BatchRunnerTest() {
    fake_.on_run_batch = [this](auto* context, auto* io) {
      return RunBatch(context, io);
    };
    fake_.on_cancel_batch = [this](const auto& request) {
      std::lock_guard<std::mutex> lock(mu_);
      EXPECT_EQ(request.batch_id(), "b1");
      cancelled_ = true;
      return grpc::Status::OK;
    };
    job()->mutable_command()->add_argv("run");
    options_.reconnect = absl::Seconds(60);
  }

  v1::JobSpec* job() { return options_.open.mutable_spec()->mutable_job(); }

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
    runner_->on_note = [this](const std::string& line) {
      notes_.push_back(line);
    };
    while (!runner_->finished() && !stop()) {
      runner_->Step(clock_.Now() + absl::Seconds(1));
    }
    client_.reset();
  }

  // One stream of the batch, whose items are kept from stream to stream: each
  // succeeds at once, but for those that the tables below know.
  grpc::Status RunBatch(grpc::ServerContext* context,
                        client::FakeCoordinator::BatchIo* io) {
    v1::RunBatchRequest request;
    io->Read(&request);
    {
      std::lock_guard<std::mutex> lock(mu_);
      opens_.push_back(request);
      if (!refuse_all_.ok()) return refuse_all_;
      if (streams_fail_ > 0) {
        --streams_fail_;
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
      }
    }
    Write(io, v1::Batch::STATE_OPEN, nullptr);
    bool hangs = false;
    do {
      for (int i = 0; i < request.items_size(); ++i) {
        const v1::BatchItem& item = request.items(i);
        EXPECT_EQ(request.first_index() + i,
                  static_cast<int64_t>(items_.size()));
        items_.push_back(item);
        const std::string& word = item.arguments().empty()
                                      ? item.input()
                                      : *item.arguments().rbegin();
        if (word == kHangs) {
          hangs = true;
          continue;
        }
        v1::BatchResult result = ResultOf(word);
        result.set_index(static_cast<int64_t>(items_.size()) - 1);
        Write(io, v1::Batch::STATE_OPEN, &result);
        if (word == kBreaks) {
          return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
        }
      }
    } while (!request.close() && io->Read(&request));
    while (hangs && !IsCancelled()) {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      absl::SleepFor(absl::Milliseconds(1));
    }
    for (size_t i = 0; i < items_.size() && hangs; ++i) {
      if (*items_[i].arguments().rbegin() != kHangs) continue;
      v1::BatchResult result;
      result.set_index(static_cast<int64_t>(i));
      result.mutable_job()->set_state(v1::Job::STATE_CANCELLED);
      Write(io, v1::Batch::STATE_OPEN, &result);
    }
    Write(io, v1::Batch::STATE_ENDED, nullptr);
    return grpc::Status::OK;
  }

  void Write(client::FakeCoordinator::BatchIo* io, v1::Batch::State state,
             const v1::BatchResult* result) {
    v1::RunBatchResponse response;
    v1::BatchEvent* event = response.mutable_event();
    if (result != nullptr) {
      *event->add_results() = *result;
    } else {
      event->mutable_batch()->set_batch_id("b1");
      event->mutable_batch()->set_state(state);
      event->mutable_batch()->set_partial(IsCancelled());
    }
    event->set_accepted(static_cast<int64_t>(items_.size()));
    event->set_cursor(absl::StrCat("after ", items_.size()));
    io->Write(response);
  }

  v1::BatchResult ResultOf(const std::string& word) {
    v1::BatchResult result;
    if (word == kRefused) {
      result.mutable_refusal()->set_code(
          static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
      result.mutable_refusal()->set_message("refused by the test");
    } else if (word == kForgotten) {
      result.set_expired_job_id("j");
    } else {
      result.mutable_job()->set_job_id(absl::StrCat("j-", word));
      result.mutable_job()->set_state(v1::Job::STATE_SUCCEEDED);
      result.mutable_job()->add_attempts()->set_number(1);
    }
    return result;
  }

  bool IsCancelled() {
    std::lock_guard<std::mutex> lock(mu_);
    return cancelled_;
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
  // The first request of each stream, and all items that came.
  std::vector<v1::RunBatchRequest> opens_;
  std::vector<v1::BatchItem> items_;
  bool cancelled_ = false;
  int streams_fail_ = 0;
  grpc::Status refuse_all_;
  client::FakeCoordinator fake_;

  std::unique_ptr<ItemSource> source_;
  std::unique_ptr<OutputSaver> saver_;
  std::unique_ptr<BatchRunner> runner_;
  std::unique_ptr<client::Client> client_;
  std::vector<ItemResult> results_;
  std::vector<std::string> notes_;
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
  EXPECT_TRUE(opens_.empty());
}

TEST_F(BatchRunnerTest, OpensWhatItWasGiven) {
  options_.open.mutable_spec()->set_max_in_flight(7);
  options_.order = v1::RESULT_ORDER_BY_INDEX;
  Run({"a", "b"});
  ASSERT_EQ(opens_.size(), 1u);
  EXPECT_EQ(opens_[0].open().spec().max_in_flight(), 7);
  EXPECT_EQ(opens_[0].order(), v1::RESULT_ORDER_BY_INDEX);
  EXPECT_NE(opens_[0].open().request_id(), "");
}

TEST_F(BatchRunnerTest, ItemIsTheLastArgument) {
  Run({"a", "b"});
  ASSERT_EQ(items_.size(), 2u);
  EXPECT_THAT(items_[1].arguments(), ElementsAre("run", "b"));
  EXPECT_FALSE(items_[1].has_input());
}

TEST_F(BatchRunnerTest, ItemIsAnArgumentOfATaskType) {
  job()->clear_command();
  job()->set_task_type("t");
  Run({"a"});
  EXPECT_THAT(items_[0].arguments(), ElementsAre("a"));
}

TEST_F(BatchRunnerTest, ItemIsPartOfTheInputInPlaceOfAnArgument) {
  options_.input.emplace("<{}>", InputTemplate::Syntax::kPlain);
  Run({"x", "y"});
  ASSERT_EQ(items_.size(), 2u);
  EXPECT_EQ(items_[0].input(), "<x>");
  EXPECT_EQ(items_[1].input(), "<y>");
  // As the batch has them.
  EXPECT_TRUE(items_[1].arguments().empty());
}

TEST_F(BatchRunnerTest, ItemGoesWhereverThereIsAPlace) {
  options_.input.emplace("<{}>", InputTemplate::Syntax::kPlain);
  job()->mutable_command()->add_argv("-{}-");
  Run({"x"});
  ASSERT_EQ(items_.size(), 1u);
  EXPECT_EQ(items_[0].input(), "<x>");
  EXPECT_THAT(items_[0].arguments(), ElementsAre("run", "-x-"));
}

TEST_F(BatchRunnerTest, ItemIsAnArgumentWhereTheInputHasNoPlaceForIt) {
  options_.input.emplace("same", InputTemplate::Syntax::kPlain);
  Run({"x"});
  ASSERT_EQ(items_.size(), 1u);
  EXPECT_EQ(items_[0].input(), "same");
  EXPECT_THAT(items_[0].arguments(), ElementsAre("run", "x"));
}

TEST_F(BatchRunnerTest, RefusesByItselfAnItemThatMakesTheInputTooLarge) {
  options_.input.emplace("{}{}{}{}", InputTemplate::Syntax::kPlain);
  Run({std::string(kInputBytesMax / 4 + 1, 'x'), "ok"});
  ASSERT_EQ(results_.size(), 2u);
  EXPECT_EQ(results_[0].item.index, 1);
  EXPECT_EQ(results_[0].state, "REFUSED");
  EXPECT_THAT(results_[0].message, HasSubstr("more than 3145728 bytes"));
  // The batch does not know of it; results find their items nevertheless.
  EXPECT_EQ(results_[1].item.text, "ok");
  EXPECT_EQ(results_[1].job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, ManyItemsGoInOrder) {
  std::vector<std::string> items;
  for (int i = 0; i < 5000; ++i) items.push_back(absl::StrCat(i));
  Run(items);
  ASSERT_EQ(results_.size(), 5000u);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(*items_[i].arguments().rbegin(), items[i]);
    EXPECT_EQ(results_[i].job.job_id(), "j-" + results_[i].item.text);
  }
}

TEST_F(BatchRunnerTest, RefusedItemFailsAlone) {
  Run({"a", kRefused, "c"});
  EXPECT_THAT(Results(),
              ElementsAre("a SUCCEEDED", "refused REFUSED INVALID_ARGUMENT",
                          "c SUCCEEDED"));
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, ItemThatIsNotTextFailsAlone) {
  Run({"a", "\xff", "c"});
  EXPECT_THAT(Results(), UnorderedElementsAre("a SUCCEEDED",
                                              "\xff REFUSED INVALID_ARGUMENT",
                                              "c SUCCEEDED"));
}

TEST_F(BatchRunnerTest, RefusalOfTheBatchEndsIt) {
  refuse_all_ = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not you");
  Run({"a"});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(results_.empty());
}

TEST_F(BatchRunnerTest, StartSurvivesARestart) {
  streams_fail_ = 3;
  Run({"a"});
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED"));
  ASSERT_EQ(opens_.size(), 4u);
  EXPECT_EQ(opens_[0].open().request_id(), opens_[3].open().request_id());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("lost the coordinator")));
}

TEST_F(BatchRunnerTest, GoesOnWhereTheStreamBroke) {
  Run({"a", kBreaks, "c", "d"});
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED", "break SUCCEEDED",
                                     "c SUCCEEDED", "d SUCCEEDED"));
  ASSERT_EQ(opens_.size(), 2u);
  EXPECT_EQ(opens_[0].cursor(), "");
  EXPECT_EQ(opens_[1].cursor(), "after 2");
}

TEST_F(BatchRunnerTest, JobThatWasForgottenFailsAlone) {
  Run({"a", kForgotten});
  EXPECT_THAT(Results(),
              ElementsAre("a SUCCEEDED", "forgotten UNKNOWN NOT_FOUND"));
  EXPECT_TRUE(runner_->failure().ok());
}

TEST_F(BatchRunnerTest, GivesUpOnACoordinatorThatStaysAway) {
  options_.reconnect = absl::Milliseconds(5);
  streams_fail_ = 1000000;
  Run({"a"});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(runner_->finished());
  EXPECT_EQ(runner_->in_flight(), 1);
}

TEST_F(BatchRunnerTest, CancelEndsWhatRuns) {
  bool cancelled = false;
  Run({"a", kHangs}, [&] {
    if (results_.size() == 1 && !cancelled) {
      cancelled = true;
      runner_->Cancel();
    }
    return false;
  });
  EXPECT_TRUE(cancelled);
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED", "hang CANCELLED"));
  EXPECT_TRUE(runner_->batch().partial());
}

TEST_F(BatchRunnerTest, LeavesOutWhatSucceededBefore) {
  ItemResult before;
  before.item = {2, "b"};
  before.has_job = true;
  before.job.set_state(v1::Job::STATE_SUCCEEDED);
  const std::string file = dir_.path() + "/results";
  ASSERT_TRUE(WriteFile(file, ItemJson(before)).ok());
  options_.resume = *ResumeFile::Read(file);
  Run({"a", "b", "c"});
  EXPECT_THAT(Results(), ElementsAre("a SUCCEEDED", "c SUCCEEDED"));
  EXPECT_EQ(results_[1].item.index, 3);
  EXPECT_EQ(runner_->skipped(), 1);
  EXPECT_EQ(runner_->progress().done, 3);
}

TEST_F(BatchRunnerTest, ResultsOfOtherItemsEndTheBatch) {
  ItemResult before;
  before.item = {2, "other"};
  const std::string file = dir_.path() + "/results";
  ASSERT_TRUE(WriteFile(file, ItemJson(before)).ok());
  options_.resume = *ResumeFile::Read(file);
  Run({kHangs, "b"});
  EXPECT_EQ(runner_->failure().code(), absl::StatusCode::kInvalidArgument);
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
