// Proves what becomes of the messages of a worker's stream: which first message
// attaches, that an error is final, and that a message is applied as a whole.
// The engine and its store are real; the stream is a fake link.
#include "coordinator/rpc/worker_messages.h"

#include <functional>
#include <string>

#include "coordinator/engine/engine_fixture.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class WorkerMessagesTest : public EngineFixture {
 protected:
  static v1::AttachRequest Hello() {
    v1::AttachRequest request;
    v1::Attach* attach = request.mutable_attach();
    attach->set_protocol_min(1);
    attach->set_protocol_max(1);
    attach->set_worker_id("w");
    attach->set_session_id("s");
    attach->set_slots(1);
    attach->set_allow_commands(true);
    return request;
  }
  static v1::AttachRequest EndOf(const JobId& id) {
    v1::AttachRequest request;
    v1::AttemptId* attempt = request.add_ends()->mutable_attempt();
    attempt->set_job_id(id.value());
    attempt->set_number(1);
    return request;
  }
  absl::Status Take(WorkerMessages* messages,
                    const v1::AttachRequest& request) {
    absl::Status status;
    Turn([&] { status = messages->Take(request); });
    return status;
  }
  JobState StateOf(const JobId& id) {
    return engine_->core().FindJob(id)->state;
  }

  LocalAttach local_;
  FakeLink link_;
};

TEST_F(WorkerMessagesTest, RefusesAnythingBeforeAttach) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  v1::AttachRequest heartbeat;
  heartbeat.mutable_heartbeat()->set_number(1);
  EXPECT_TRUE(absl::IsInvalidArgument(Take(&messages, heartbeat)));
  EXPECT_TRUE(link_.messages.empty());
  EXPECT_TRUE(engine_->core().Workers().empty());
}

TEST_F(WorkerMessagesTest, AnswersAttachWithWhatHolds) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  v1::AttachRequest hello = Hello();
  v1::AttemptId* unknown = hello.mutable_attach()->add_running();
  unknown->set_job_id("unknown");
  unknown->set_number(7);
  ASSERT_TRUE(Take(&messages, hello).ok());
  ASSERT_FALSE(link_.messages.empty());
  const v1::Attached& attached = link_.messages.front().attached();
  EXPECT_EQ(attached.protocol_version(), 1);
  EXPECT_EQ(attached.epoch(), engine_->epoch());
  EXPECT_EQ(attached.lease().seconds(), absl::ToInt64Seconds(kLease));
  ASSERT_EQ(attached.kill_size(), 1);
  EXPECT_EQ(attached.kill(0).job_id(), "unknown");
  EXPECT_EQ(attached.kill(0).number(), 7);
}

TEST_F(WorkerMessagesTest, RefusesAnAttachOutOfBounds) {
  struct Case {
    const char* name;
    absl::StatusCode code;
    std::function<void(v1::Attach*)> change;
  };
  const Case cases[] = {
      {"too old", absl::StatusCode::kFailedPrecondition,
       [](v1::Attach* attach) { attach->set_protocol_max(0); }},
      {"too new", absl::StatusCode::kFailedPrecondition,
       [](v1::Attach* attach) { attach->set_protocol_min(2); }},
      {"no worker", absl::StatusCode::kInvalidArgument,
       [](v1::Attach* attach) { attach->clear_worker_id(); }},
      {"no session", absl::StatusCode::kInvalidArgument,
       [](v1::Attach* attach) { attach->clear_session_id(); }},
      {"negative slots", absl::StatusCode::kInvalidArgument,
       [](v1::Attach* attach) { attach->set_slots(-1); }},
      {"slots above the most", absl::StatusCode::kInvalidArgument,
       [](v1::Attach* attach) { attach->set_slots(kSlotsMax + 1); }},
      {"type without a name", absl::StatusCode::kInvalidArgument,
       [](v1::Attach* attach) { attach->add_task_types(); }},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.name);
    v1::AttachRequest hello = Hello();
    bad.change(hello.mutable_attach());
    WorkerMessages messages(&local_, engine_.get(), &link_);
    EXPECT_EQ(Take(&messages, hello).code(), bad.code);
    EXPECT_TRUE(engine_->core().Workers().empty());
  }
}

TEST_F(WorkerMessagesTest, WhatFollowsARefusalHasNoEffect) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  ASSERT_FALSE(Take(&messages, v1::AttachRequest()).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Take(&messages, Hello())));
  EXPECT_TRUE(engine_->core().Workers().empty());
}

TEST_F(WorkerMessagesTest, ABadAnnouncementDetachesAndTheRestIsNotApplied) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  ASSERT_TRUE(Take(&messages, Hello()).ok());
  JobId id;
  Turn([&] { id = Submit("true"); });
  ASSERT_EQ(StateOf(id), JobState::kRunning);

  v1::AttachRequest request = EndOf(id);
  request.mutable_announcement()->add_task_types();
  EXPECT_TRUE(absl::IsInvalidArgument(Take(&messages, request)));
  EXPECT_FALSE(engine_->core().Workers().front()->connected());
  EXPECT_TRUE(absl::IsInvalidArgument(Take(&messages, EndOf(id))));
  EXPECT_EQ(StateOf(id), JobState::kRunning);
  engine_->core().CheckInvariants();
}

TEST_F(WorkerMessagesTest, AppliesTheRestOfAMessageBeforeItsHeartbeat) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  ASSERT_TRUE(Take(&messages, Hello()).ok());
  JobId id;
  Turn([&] { id = Submit("true"); });
  Settle();
  link_.messages.clear();
  v1::AttachRequest request = EndOf(id);
  request.mutable_heartbeat()->set_number(5);
  request.mutable_heartbeat()->add_stuck_slots(-1);
  for (int slot = 0; slot <= kSlotsMax; ++slot) {
    request.mutable_heartbeat()->add_stuck_slots(slot);
  }
  Turn([&] {
    ASSERT_TRUE(messages.Take(request).ok());
    EXPECT_EQ(StateOf(id), JobState::kSucceeded);
  });
  ASSERT_FALSE(link_.messages.empty());
  EXPECT_EQ(link_.messages.front().heartbeat_number(), 5);
  EXPECT_EQ(engine_->core().Workers().front()->stuck_slots.size(),
            static_cast<size_t>(kSlotsMax));
}

TEST_F(WorkerMessagesTest, AReplacedStreamChangesNothing) {
  FakeLink newer_link;
  WorkerMessages older(&local_, engine_.get(), &link_);
  ASSERT_TRUE(Take(&older, Hello()).ok());
  JobId id;
  Turn([&] { id = Submit("true"); });
  Settle();
  WorkerMessages newer(&local_, engine_.get(), &newer_link);
  v1::AttachRequest hello = Hello();
  v1::AttemptId* running = hello.mutable_attach()->add_running();
  running->set_job_id(id.value());
  running->set_number(1);
  ASSERT_TRUE(Take(&newer, hello).ok());
  EXPECT_TRUE(link_.closed);
  EXPECT_TRUE(Take(&older, EndOf(id)).ok());
  EXPECT_EQ(StateOf(id), JobState::kRunning);
  EXPECT_TRUE(Take(&newer, EndOf(id)).ok());
  Settle();
  EXPECT_EQ(engine_->core().FindJob(id), nullptr);
}

TEST_F(WorkerMessagesTest, OnlyTheTokenMakesAWorkerLocal) {
  SessionId told;
  local_.token = "secret";
  local_.on_attach = [&](const SessionId& session) { told = session; };
  v1::AttachRequest hello = Hello();
  hello.mutable_attach()->set_local_token("guess");
  {
    WorkerMessages messages(&local_, engine_.get(), &link_);
    ASSERT_TRUE(Take(&messages, hello).ok());
    EXPECT_TRUE(told.empty());
  }
  hello.mutable_attach()->set_local_token("secret");
  WorkerMessages messages(&local_, engine_.get(), &link_);
  ASSERT_TRUE(Take(&messages, hello).ok());
  EXPECT_EQ(told, SessionId("s"));
  EXPECT_TRUE(engine_->core().Workers().front()->hello.local);
}

TEST_F(WorkerMessagesTest, WithoutATokenNoWorkerIsLocal) {
  WorkerMessages messages(&local_, engine_.get(), &link_);
  ASSERT_TRUE(Take(&messages, Hello()).ok());
  EXPECT_FALSE(engine_->core().Workers().front()->hello.local);
}

}  // namespace
}  // namespace vigil::coordinator
