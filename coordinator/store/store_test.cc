// Shows that what the store takes it gives back: rows of every kind, searches,
// pages, trims and retention, across a reopening and a SIGKILL. Real SQLite on
// a real file; nothing is faked and nothing waits.
#include "coordinator/store/store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/store/limits.h"
#include "coordinator/store/store_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

// Bytes that text would not survive.
const std::string kBinary = std::string("\0\xff\xfe'\"\n\0", 7);

OutputRow Output(const std::string& job_id, int32_t attempt, int64_t seq,
                 int stream, std::string data) {
  return {job_id, attempt, seq, stream, seq * 100, std::move(data)};
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() : store_(temp_.Open()) {}

  void Commit(const Batch& batch) {
    const absl::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }

  void Reopen() {
    store_.reset();
    store_ = temp_.Open();
  }

  StoreView& view() { return store_->view(); }

  // One page of a list: the ids, and where to go on.
  std::pair<std::vector<std::string>, std::optional<std::string>> List(
      const StoreView::ListQuery& query) {
    std::vector<std::string> ids;
    auto next = view().ListJobs(query, [&](JobRow job) {
      ids.push_back(job.job_id);
      return Visit::kContinue;
    });
    EXPECT_TRUE(next.ok()) << next.status();
    return {ids, next.value_or(std::nullopt)};
  }

  // All output of an attempt, read in pages of `bytes_max`.
  std::vector<std::string> ReadData(const std::string& job_id, int attempt,
                                    std::optional<int> stream,
                                    int64_t after_seq, int64_t bytes_max) {
    std::vector<std::string> data;
    for (std::optional<int64_t> next = after_seq; next.has_value();) {
      auto page = view().ReadOutput(job_id, attempt, stream, *next, bytes_max);
      EXPECT_TRUE(page.ok()) << page.status();
      for (const OutputRow& row : page->rows) data.push_back(row.data);
      EXPECT_GT(page->next_after_seq.value_or(*next + 1), *next);
      next = page->next_after_seq;
    }
    return data;
  }

  TempStore temp_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ReturnsEveryKindOfRowAfterReopening) {
  JobRow job = LiveJob("j1");
  job.request_id = "r1";
  job.value = kBinary;
  Batch batch = JobBatch({job});
  batch.payloads = {{"j1", kBinary}};
  batch.results = {{"j1", std::string(3 << 20, 'x')}};
  batch.output = {Output("j1", 1, 5, 2, kBinary)};
  batch.meta = {{"epoch", kBinary}};
  Commit(batch);
  Reopen();

  EXPECT_THAT(*view().GetJob("j1"), Optional(job));
  EXPECT_THAT(*view().FindRequest("default", "r1"), Optional(job));
  EXPECT_THAT(*view().GetPayload("j1"), Optional(kBinary));
  EXPECT_THAT(*view().GetResult("j1"), Optional(std::string(3 << 20, 'x')));
  EXPECT_THAT(view().ReadOutput("j1", 1, std::nullopt, -1, 1000)->rows,
              ElementsAre(batch.output[0]));
  std::map<std::string, std::string> meta;
  ASSERT_TRUE(
      view()
          .LoadMeta([&](absl::string_view key, absl::string_view value) {
            meta[std::string(key)] = std::string(value);
          })
          .ok());
  EXPECT_THAT(meta, ElementsAre(Pair("epoch", kBinary)));
}

TEST_F(StoreTest, KeepsEmptyValuesApartFromAbsentOnes) {
  JobRow job = LiveJob("j1");
  job.value = "";
  Batch batch = JobBatch({job});
  batch.payloads = {{"j1", ""}};
  Commit(batch);

  EXPECT_THAT(*view().GetJob("j1"), Optional(job));
  EXPECT_THAT(*view().GetPayload("j1"), Optional(std::string()));
  EXPECT_THAT(*view().GetResult("j1"), Eq(std::nullopt));
  EXPECT_THAT(*view().GetJob("j2"), Eq(std::nullopt));
}

TEST_F(StoreTest, UpdatesAJobAndKeepsItsEndToTheNanosecond) {
  Commit(JobBatch({LiveJob("j1")}));
  const JobRow ended =
      EndedJob("j1", TestTime(5) + absl::Nanoseconds(123'456'789));
  Commit(JobBatch({ended}));

  EXPECT_THAT(*view().GetJob("j1"), Optional(ended));
}

TEST_F(StoreTest, ReplacesAResultButNotAPayload) {
  Batch batch = JobBatch({LiveJob("j1")});
  batch.payloads = {{"j1", "in"}};
  batch.results = {{"j1", "partial"}};
  Commit(batch);
  Batch result;
  result.results = {{"j1", "whole"}};
  Commit(result);
  Batch payload;
  payload.payloads = {{"j1", "other"}};

  EXPECT_EQ(store_->Commit(payload).code(), absl::StatusCode::kInternal);
  EXPECT_THAT(*view().GetPayload("j1"), Optional(std::string("in")));
  EXPECT_THAT(*view().GetResult("j1"), Optional(std::string("whole")));
}

TEST_F(StoreTest, RemovesMetaWithoutValue) {
  Batch batch;
  batch.meta = {{"a", "1"}, {"b", "2"}};
  Commit(batch);
  batch.meta = {{"a", std::nullopt}, {"b", "3"}};
  Commit(batch);

  std::vector<std::string> facts;
  ASSERT_TRUE(
      view()
          .LoadMeta([&](absl::string_view key, absl::string_view value) {
            facts.push_back(std::string(key) + "=" + std::string(value));
          })
          .ok());
  EXPECT_THAT(facts, ElementsAre("b=3"));
}

TEST_F(StoreTest, LoadsLiveJobsInOrderAndLeavesEndedOnesOut) {
  Commit(JobBatch({LiveJob("j3"), LiveJob("j1"), LiveJob("j2")}));
  Commit(JobBatch({EndedJob("j2", TestTime(0)), EndedJob("j4", TestTime(0))}));

  EXPECT_THAT(LiveJobIds(view()), ElementsAre("j1", "j3"));
}

TEST_F(StoreTest, LoadsRequestsOfLiveAndEndedJobs) {
  JobRow live = LiveJob("j1");
  live.request_id = "r1";
  JobRow ended = EndedJob("j2", TestTime(0));
  ended.request_id = "r2";
  Commit(JobBatch({live, ended, LiveJob("j3")}));

  std::vector<std::pair<std::string, std::string>> requests;
  ASSERT_TRUE(view()
                  .LoadRequests([&](std::string space, std::string request) {
                    requests.emplace_back(space, request);
                  })
                  .ok());
  EXPECT_THAT(requests,
              ElementsAre(Pair("default", "r1"), Pair("default", "r2")));
}

TEST_F(StoreTest, ScopesRequestIdsByNamespaceAndIgnoresEmptyOnes) {
  JobRow job = LiveJob("j1");
  job.request_id = "r1";
  JobRow other = LiveJob("j2");
  other.namespace_id = "other";
  other.request_id = "r1";
  Commit(JobBatch({job, other, LiveJob("j3"), LiveJob("j4")}));

  EXPECT_THAT(*view().FindRequest("other", "r1"), Optional(other));
  EXPECT_THAT(*view().FindRequest("third", "r1"), Eq(std::nullopt));
  EXPECT_THAT(*view().FindRequest("default", ""), Eq(std::nullopt));
}

TEST_F(StoreTest, WritesNothingOfABatchWithABrokenRow) {
  JobRow job = LiveJob("j1");
  job.request_id = "r1";
  Commit(JobBatch({job}));
  JobRow twin = LiveJob("j3");
  twin.request_id = "r1";

  const absl::Status status = store_->Commit(JobBatch({LiveJob("j2"), twin}));

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(LiveJobIds(view()), ElementsAre("j1"));
  Commit(JobBatch({LiveJob("j4")}));
}

TEST_F(StoreTest, ListsNewestFirstInPagesOfOneNamespace) {
  JobRow foreign = LiveJob("j25");
  foreign.namespace_id = "other";
  Commit(JobBatch({LiveJob("j1"), LiveJob("j2"), foreign, LiveJob("j3"),
                   EndedJob("j4", TestTime(0))}));
  StoreView::ListQuery query;
  query.namespace_id = "default";
  query.rows_max = 2;

  auto [first, next] = List(query);
  EXPECT_THAT(first, ElementsAre("j4", "j3"));
  ASSERT_THAT(next, Optional(std::string("j3")));
  query.before_job_id = *next;
  auto [second, after_second] = List(query);
  EXPECT_THAT(second, ElementsAre("j2", "j1"));
  ASSERT_THAT(after_second, Optional(std::string("j1")));
  query.before_job_id = *after_second;
  EXPECT_THAT(List(query), Pair(IsEmpty(), Eq(std::nullopt)));
}

TEST_F(StoreTest, ListsNothingOlderThanAsked) {
  Commit(JobBatch({LiveJob("j1"), LiveJob("j2"), LiveJob("j3")}));
  StoreView::ListQuery query;
  query.namespace_id = "default";
  query.from_job_id = "j2";

  EXPECT_THAT(List(query), Pair(ElementsAre("j3", "j2"), Eq(std::nullopt)));
  query.before_job_id = "j3";
  EXPECT_THAT(List(query), Pair(ElementsAre("j2"), Eq(std::nullopt)));
}

TEST_F(StoreTest, EndsAPageWhereTheVisitorStops) {
  Commit(JobBatch({LiveJob("j1"), LiveJob("j2"), LiveJob("j3")}));
  StoreView::ListQuery query;
  query.namespace_id = "default";

  auto next = view().ListJobs(query, [](JobRow job) {
    return job.job_id == "j2" ? Visit::kStop : Visit::kContinue;
  });

  ASSERT_TRUE(next.ok());
  EXPECT_THAT(*next, Optional(std::string("j2")));
}

TEST_F(StoreTest, EndsAPageAtItsBytes) {
  JobRow big = LiveJob("j2");
  big.value = std::string(100, 'x');
  Commit(JobBatch({LiveJob("j1"), big, LiveJob("j3")}));
  StoreView::ListQuery query;
  query.namespace_id = "default";
  query.bytes_max = static_cast<int64_t>(LiveJob("j3").value.size()) + 100;

  EXPECT_THAT(List(query),
              Pair(ElementsAre("j3", "j2"), Optional(std::string("j2"))));
  ++query.bytes_max;
  EXPECT_THAT(List(query),
              Pair(ElementsAre("j3", "j2", "j1"), Optional(std::string("j1"))));
}

TEST_F(StoreTest, ReadsOutputOfOneAttemptInOrderOfArrival) {
  Batch batch;
  batch.output = {Output("j1", 1, 2, 1, "b"), Output("j1", 1, 1, 2, "a"),
                  Output("j1", 1, 3, 1, "c"), Output("j1", 2, 4, 1, "d"),
                  Output("j2", 1, 1, 1, "e")};
  Commit(batch);

  EXPECT_THAT(ReadData("j1", 1, std::nullopt, 0, 1000),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(ReadData("j1", 1, std::nullopt, 1, 1000), ElementsAre("b", "c"));
  EXPECT_THAT(ReadData("j1", 1, 2, 0, 1000), ElementsAre("a"));
  EXPECT_THAT(ReadData("j1", 2, std::nullopt, 0, 1000), ElementsAre("d"));
  EXPECT_THAT(ReadData("j1", 3, std::nullopt, 0, 1000), IsEmpty());
}

TEST_F(StoreTest, ReadsOutputUpToItsBytesButAtLeastOneRow) {
  Batch batch;
  batch.output = {Output("j1", 1, 1, 1, "aaaa"), Output("j1", 1, 2, 1, "bbbb"),
                  Output("j1", 1, 3, 1, "cccc")};
  Commit(batch);
  const auto page = [&](int64_t after_seq, int64_t bytes_max) {
    auto output =
        view().ReadOutput("j1", 1, std::nullopt, after_seq, bytes_max);
    EXPECT_TRUE(output.ok()) << output.status();
    return std::pair(output->rows.size(), output->next_after_seq);
  };

  EXPECT_THAT(page(0, 1), Pair(1, Optional(1)));
  EXPECT_THAT(page(0, 7), Pair(1, Optional(1)));
  EXPECT_THAT(page(0, 8), Pair(2, Optional(2)));
  EXPECT_THAT(page(1, 8), Pair(2, Eq(std::nullopt)));
  EXPECT_THAT(page(0, 12), Pair(3, Eq(std::nullopt)));
  for (int64_t bytes_max = 1; bytes_max < 14; ++bytes_max) {
    EXPECT_THAT(ReadData("j1", 1, std::nullopt, 0, bytes_max),
                ElementsAre("aaaa", "bbbb", "cccc"));
  }
}

TEST_F(StoreTest, BoundsTheRowsOfOutputLookedAt) {
  Batch batch;
  for (int64_t seq = 1; seq <= kOutputRowsMax; ++seq) {
    batch.output.push_back(Output("j1", 1, seq, 1, "a"));
  }
  batch.output.push_back(Output("j1", 1, kOutputRowsMax + 1, 2, "b"));
  Commit(batch);

  auto page = view().ReadOutput("j1", 1, 2, 0, 1000);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->rows, IsEmpty());
  EXPECT_THAT(page->next_after_seq, Optional(kOutputRowsMax));
  EXPECT_THAT(ReadData("j1", 1, 2, 0, 1000), ElementsAre("b"));
}

TEST_F(StoreTest, TrimsTheMiddleOfTheOutputAndSaysWhatIsLeft) {
  Batch batch;
  for (int seq = 1; seq <= 5; ++seq) {
    batch.output.push_back(Output("j1", 1, seq, 1, "data"));
  }
  batch.output.push_back(Output("j1", 2, 6, 1, ""));
  batch.output.push_back(Output("j2", 1, 3, 1, "other"));
  batch.trims = {{"j1", 1, 2, 4}};
  Commit(batch);

  std::vector<OutputIndexRow> index;
  ASSERT_TRUE(
      view()
          .LoadOutputIndex(
              "j1", [&](const OutputIndexRow& row) { index.push_back(row); })
          .ok());
  EXPECT_THAT(index, ElementsAre(OutputIndexRow{1, 1, 1, 100, 4},
                                 OutputIndexRow{1, 5, 1, 500, 4},
                                 OutputIndexRow{2, 6, 1, 600, 0}));
  EXPECT_THAT(ReadData("j2", 1, std::nullopt, 0, 100), ElementsAre("other"));
}

TEST_F(StoreTest, DeletesEndedJobsOldestFirstInSteps) {
  Batch batch =
      JobBatch({EndedJob("j1", TestTime(3)), EndedJob("j2", TestTime(2)),
                EndedJob("j3", TestTime(1)), LiveJob("j4")});
  batch.jobs[2].request_id = "r3";
  batch.payloads = {{"j3", "in"}, {"j4", "in"}};
  batch.results = {{"j3", "out"}};
  batch.output = {Output("j3", 1, 1, 1, "a"), Output("j3", 1, 2, 1, "b"),
                  Output("j3", 1, 3, 1, "c"), Output("j4", 1, 1, 1, "d")};
  Commit(batch);

  // Two of three rows of output use a step up; the last one and the job itself
  // the next; then the other job.
  auto step = store_->DeleteEnded(TestTime(3), 2);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_THAT(step->jobs, IsEmpty());
  EXPECT_TRUE(step->more);
  EXPECT_EQ(ReadData("j3", 1, std::nullopt, 0, 100).size(), 1u);
  step = store_->DeleteEnded(TestTime(3), 2);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_THAT(step->jobs, ElementsAre(DeletedJob{"j3", "default", "r3"}));
  EXPECT_TRUE(step->more);
  step = store_->DeleteEnded(TestTime(3), 2);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_THAT(step->jobs, ElementsAre(DeletedJob{"j2", "default", ""}));
  EXPECT_FALSE(step->more);

  EXPECT_THAT(*view().GetJob("j1"), Optional(batch.jobs[0]));
  EXPECT_THAT(*view().GetJob("j3"), Eq(std::nullopt));
  EXPECT_THAT(*view().GetPayload("j3"), Eq(std::nullopt));
  EXPECT_THAT(*view().GetResult("j3"), Eq(std::nullopt));
  EXPECT_THAT(*view().FindRequest("default", "r3"), Eq(std::nullopt));
  EXPECT_THAT(ReadData("j3", 1, std::nullopt, 0, 100), IsEmpty());
  EXPECT_THAT(*view().GetPayload("j4"), Optional(std::string("in")));
  EXPECT_THAT(ReadData("j4", 1, std::nullopt, 0, 100), ElementsAre("d"));
}

TEST_F(StoreTest, DeletesAJobWithFewRowsInOneStep) {
  Batch batch = JobBatch({EndedJob("j1", TestTime(1))});
  batch.output = {Output("j1", 1, 1, 1, "a")};
  Commit(batch);

  auto step = store_->DeleteEnded(TestTime(2), 100);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->jobs.size(), 1u);
  EXPECT_FALSE(step->more);
}

TEST_F(StoreTest, SaysThatMoreIsLeftWhenAStepIsUsedUpBetweenJobs) {
  Batch batch =
      JobBatch({EndedJob("j1", TestTime(1)), EndedJob("j2", TestTime(2))});
  batch.output = {Output("j1", 1, 1, 1, "a"), Output("j1", 1, 2, 1, "b")};
  Commit(batch);

  auto step = store_->DeleteEnded(TestTime(3), 3);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->jobs.size(), 1u);
  EXPECT_TRUE(step->more);
  step = store_->DeleteEnded(TestTime(3), 3);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->jobs.size(), 1u);
  EXPECT_FALSE(step->more);
}

TEST_F(StoreTest, CutoffKeepsTheNewestEndedJobs) {
  Commit(JobBatch({EndedJob("j1", TestTime(1)), EndedJob("j2", TestTime(2)),
                   EndedJob("j3", TestTime(3)), LiveJob("j4")}));

  EXPECT_EQ(*view().RetentionCutoff(3), absl::InfinitePast());
  EXPECT_EQ(*view().RetentionCutoff(2), TestTime(1) + absl::Nanoseconds(1));
  EXPECT_EQ(*view().RetentionCutoff(0), TestTime(3) + absl::Nanoseconds(1));
}

TEST_F(StoreTest, DeletesNothingBeforeTheInfinitePast) {
  Commit(JobBatch({EndedJob("j1", TestTime(1))}));

  auto step = store_->DeleteEnded(absl::InfinitePast(), 100);
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_THAT(step->jobs, IsEmpty());
}

TEST_F(StoreTest, EstimatesABatchByItsBytes) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.SizeBytes(), 0);
  batch.output = {Output("j1", 1, 1, 1, std::string(1000, 'x'))};
  EXPECT_FALSE(batch.empty());
  EXPECT_GE(batch.SizeBytes(), 1000);
  EXPECT_LT(batch.SizeBytes(), 1200);
}

// A commit that was acknowledged is there after SIGKILL; a transaction that
// was not finished is not.
TEST_F(StoreTest, KeepsWhatWasAcknowledgedBeforeSigkill) {
  store_.reset();
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::unique_ptr<Store> store = temp_.Open();
    for (char number = 'a'; number <= 'z'; ++number) {
      Batch batch = JobBatch({LiveJob(std::string(1, number))});
      batch.payloads = {{std::string(1, number), "in"}};
      if (!store->Commit(batch).ok()) _exit(1);
      if (write(acknowledged[1], &number, 1) != 1) _exit(2);
    }
    kill(getpid(), SIGKILL);
  }
  close(acknowledged[1]);
  int wait_status = 0;
  ASSERT_EQ(waitpid(child, &wait_status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(wait_status)) << wait_status;
  std::vector<std::string> ids;
  for (char number; read(acknowledged[0], &number, 1) == 1;) {
    ids.push_back(std::string(1, number));
  }
  close(acknowledged[0]);
  ASSERT_EQ(ids.size(), 26u);
  // The log was left behind: nothing closed the database in an orderly way.
  ASSERT_TRUE(std::filesystem::exists(temp_.wal_path()));

  store_ = temp_.Open();
  EXPECT_EQ(LiveJobIds(view()), ids);
  EXPECT_THAT(*view().GetPayload("z"), Optional(std::string("in")));
}

TEST_F(StoreTest, KeepsTheFilePrivate) {
  namespace fs = std::filesystem;
  Commit(JobBatch({LiveJob("j1")}));
  for (const std::string& path : {temp_.path(), temp_.wal_path()}) {
    EXPECT_EQ(fs::status(path).permissions(),
              fs::perms::owner_read | fs::perms::owner_write)
        << path;
  }
}

}  // namespace
}  // namespace vigil::store
