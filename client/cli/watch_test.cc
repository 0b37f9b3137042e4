// Proves what `vigil watch` does as a program: which of job and batch an id is,
// what goes where, that it goes on behind a lost coordinator, and its exit
// status. A scripted coordinator stands in for a real one.
#include <signal.h>

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WatchTest : public VigilFixture {
 protected:
  WatchTest() {
    // There is a job `j`, which runs, and a batch `b`.
    fake_.on_get = [](const auto& request, auto* response) {
      if (request.job_id() != "j") {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job");
      }
      *response->mutable_job() = Running();
      return grpc::Status::OK;
    };
    fake_.on_get_batch = [this](const auto& request, auto* response) {
      if (request.batch_id() != "b") {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no batch");
      }
      *response->mutable_batch() = batch_;
      return grpc::Status::OK;
    };
    batch_.set_batch_id("b");
    batch_.set_namespace_("default");
    batch_.set_state(v1::Batch::STATE_CLOSED);
    batch_.mutable_counts()->set_accepted(2);
  }

  static v1::Job Running() {
    v1::Job job;
    job.set_job_id("j");
    job.set_namespace_("default");
    job.set_state(v1::Job::STATE_RUNNING);
    v1::Attempt* attempt = job.add_attempts();
    attempt->set_number(1);
    attempt->set_worker_id("w");
    attempt->set_phase(v1::Attempt::PHASE_ACTIVE);
    attempt->set_stdout_bytes(3);
    return job;
  }

  static v1::WatchEvent Event(const v1::Job& job, const std::string& cursor) {
    v1::WatchEvent event;
    *event.mutable_job() = job;
    event.set_cursor(cursor);
    return event;
  }

  static v1::WatchEvent Out(int64_t offset, const std::string& data,
                            const std::string& cursor) {
    v1::WatchEvent event = client::OutputEvent(data, cursor);
    event.mutable_output()->set_offset(offset);
    return event;
  }

  static v1::WatchEvent Failed(const std::string& cursor) {
    v1::Job job = Running();
    job.set_state(v1::Job::STATE_FAILED);
    job.mutable_failure()->set_reason(v1::Failure::REASON_NONZERO_EXIT);
    job.mutable_failure()->set_message("why");
    job.mutable_exit()->set_status(3);
    return Event(job, cursor);
  }

  static v1::BatchEvent Result(int64_t index, v1::Job::State state,
                               const std::string& cursor) {
    v1::BatchEvent event;
    v1::BatchResult* result = event.add_results();
    result->set_index(index);
    result->mutable_job()->set_job_id(absl::StrCat("j", index));
    result->mutable_job()->set_state(state);
    event.set_cursor(cursor);
    return event;
  }

  v1::BatchEvent BatchEnded(int succeeded, int failed) {
    v1::BatchEvent event;
    *event.mutable_batch() = batch_;
    event.mutable_batch()->set_state(v1::Batch::STATE_ENDED);
    event.mutable_batch()->mutable_counts()->set_succeeded(succeeded);
    event.mutable_batch()->mutable_counts()->set_failed(failed);
    return event;
  }

  v1::Batch batch_;
};

TEST_F(WatchTest, OfAJobPassesOutputOnSaysStatesAndExitsAsItsProgram) {
  fake_.on_watch = [](auto*, const auto& request, const auto& write) {
    EXPECT_EQ(request.job_id(), "j");
    write(Event(Running(), "c1"));
    write(Out(0, "out\n", "c2"));
    // The same state again is no news.
    write(Event(Running(), "c3"));
    v1::WatchEvent err = Out(0, "err\n", "c4");
    err.mutable_output()->set_stream(v1::Output::STREAM_STDERR);
    write(err);
    write(Failed("c5"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "j"});
  EXPECT_EQ(watch.Wait(), 3);
  EXPECT_EQ(watch.out(), "out\n");
  EXPECT_THAT(watch.err(),
              StartsWith("vigil: job j RUNNING: attempt 1 on w, ACTIVE\n"
                         "err\nvigil: "));
  EXPECT_THAT(watch.err(),
              EndsWith("\nvigil: job j FAILED: NONZERO_EXIT: why\n"));
}

TEST_F(WatchTest, GoesOnBehindTheLastEventWhenTheCoordinatorIsBack) {
  std::atomic<int> streams = 0;
  std::string cursor;
  fake_.on_watch = [&](auto*, const auto& request, const auto& write) {
    if (streams++ == 0) {
      write(Event(Running(), "c1"));
      write(Out(0, "before ", "c2"));
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
    }
    cursor = request.cursor();
    write(Out(7, "after", "c3"));
    v1::Job job = Running();
    job.set_state(v1::Job::STATE_SUCCEEDED);
    write(Event(job, "c4"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "j"});
  EXPECT_EQ(watch.Wait(), 0);
  EXPECT_EQ(cursor, "c2");
  EXPECT_EQ(watch.out(), "before after");
  EXPECT_THAT(watch.err(), HasSubstr("vigil: lost the coordinator: stopping"));
  EXPECT_THAT(watch.err(), EndsWith("vigil: job j SUCCEEDED\n"));
}

TEST_F(WatchTest, FromNowLeavesOutWhatWasWritten) {
  fake_.on_watch = [](auto*, const auto&, const auto& write) {
    write(Out(0, "oldnew", "c1"));
    write(Failed("c2"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "j", "--from=now"});
  EXPECT_EQ(watch.Wait(), 3);
  EXPECT_EQ(watch.out(), "new");
}

TEST_F(WatchTest, OfAJobWritesJson) {
  fake_.on_watch = [](auto*, const auto&, const auto& write) {
    write(Out(0, "out", "c1"));
    write(Failed("c2"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess lines = Start({"watch", "j", "-ojsonl"});
  EXPECT_EQ(lines.Wait(), 3);
  EXPECT_THAT(lines.out(),
              StartsWith("{\"output\":{\"attempt\":1,\"stream\":"
                         "\"STREAM_STDOUT\",\"data\":"
                         "\"b3V0\"}}\n{\"job\":{\"job_id\":\"j\","));
  EXPECT_EQ(lines.err(), "");
  VigilProcess json = Start({"watch", "j", "-ojson"});
  EXPECT_EQ(json.Wait(), 3);
  EXPECT_EQ(json.out(), "out");
  EXPECT_THAT(json.err(), StartsWith("{\"job_id\":\"j\","));
}

TEST_F(WatchTest, ASignalStopsWatchingAndNothingElse) {
  absl::Notification watched;
  fake_.on_watch = [&](auto* context, const auto&, const auto& write) {
    write(Event(Running(), "c1"));
    watched.Notify();
    return client::Hang(*context);
  };
  fake_.on_cancel = [](const auto&, auto*) {
    ADD_FAILURE() << "the job was cancelled";
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "j"});
  watched.WaitForNotification();
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait(), 130);
  EXPECT_THAT(watch.err(), EndsWith("vigil: stopped watching; job j goes on, "
                                    "and `vigil watch j` watches it again\n"));
}

TEST_F(WatchTest, OfABatchWritesALineForEachItemAndCountsThem) {
  std::string cursor;
  std::atomic<int> streams = 0;
  fake_.on_watch_batch = [&](auto*, const auto& request, const auto& write) {
    if (streams++ == 0) {
      write(Result(1, v1::Job::STATE_FAILED, "c1"));
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
    }
    cursor = request.cursor();
    write(Result(0, v1::Job::STATE_SUCCEEDED, "c2"));
    write(BatchEnded(1, 1));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "b"});
  EXPECT_EQ(watch.Wait(), 123);
  EXPECT_EQ(cursor, "c1");
  EXPECT_EQ(watch.out(), "item 2: job j1 FAILED\nitem 1: job j0 SUCCEEDED\n");
  EXPECT_THAT(watch.err(), HasSubstr("lost the coordinator"));
  EXPECT_THAT(watch.err(), HasSubstr("2 jobs in "));
}

TEST_F(WatchTest, ABatchWhoseItemsAllSucceededIsASuccess) {
  fake_.on_watch_batch = [&](auto*, const auto&, const auto& write) {
    write(BatchEnded(2, 0));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  EXPECT_EQ(Start({"watch", "b"}).Wait(), 0);
  VigilProcess json = Start({"watch", "b", "-ojson"});
  EXPECT_EQ(json.Wait(), 0);
  EXPECT_THAT(json.err(), StartsWith("{\"batch_id\":\"b\","));
}

TEST_F(WatchTest, OfABatchWritesEventsAsJsonLines) {
  // One item has ended before.
  batch_.mutable_counts()->set_succeeded(1);
  fake_.on_watch_batch = [&](auto*, const auto& request, const auto& write) {
    EXPECT_EQ(request.order(), v1::RESULT_ORDER_UNSPECIFIED);
    v1::BatchEvent both = Result(0, v1::Job::STATE_SUCCEEDED, "c1");
    both.MergeFrom(Result(1, v1::Job::STATE_SUCCEEDED, "c2"));
    write(both);
    write(BatchEnded(2, 0));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess all = Start({"watch", "b", "-ojsonl"});
  EXPECT_EQ(all.Wait(), 0);
  EXPECT_THAT(all.out(),
              StartsWith("{\"results\":[{\"job\":{\"job_id\":\"j0\""));
  EXPECT_EQ(all.err(), "");
  VigilProcess now = Start({"watch", "b", "-ojsonl", "--from=now"});
  EXPECT_EQ(now.Wait(), 0);
  EXPECT_THAT(now.out(), StartsWith("{\"results\":[{\"index\":\"1\",\"job\""));
  EXPECT_THAT(now.out(), Not(HasSubstr("\"j0\"")));
}

TEST_F(WatchTest, WhatIsNeitherJobNorBatchIsTold) {
  fake_.Start(address_);
  VigilProcess watch = Start({"watch", "x"});
  EXPECT_EQ(watch.Wait(), 4);
  EXPECT_THAT(watch.err(),
              StartsWith("vigil: neither a job nor a batch `x` in namespace "
                         "`default`"));
}

TEST_F(WatchTest, MisuseIsTold) {
  EXPECT_EQ(Start({"watch"}).Wait(), 125);
  VigilProcess empty = Start({"watch", ""});
  EXPECT_EQ(empty.Wait(), 125);
  EXPECT_THAT(empty.err(), HasSubstr("the id is missing"));
  EXPECT_EQ(Start({"watch", "a", "b"}).Wait(), 125);
  EXPECT_EQ(Start({"watch", "a", "--from=then"}).Wait(), 125);
  EXPECT_EQ(Start({"watch", "a", "-oyaml"}).Wait(), 125);
  VigilProcess negative = Start({"watch", "a", "--reconnect=-5s"});
  EXPECT_EQ(negative.Wait(), 125);
  EXPECT_THAT(negative.err(), HasSubstr("`-5s` is negative"));
  EXPECT_EQ(Start({"watch", "a", "--from=now", "--in_order"}).Wait(), 125);
}

}  // namespace
}  // namespace vigil::cli
