// Proves what is told when: ends after output, bounded messages, everything
// unacknowledged again after a loss. Facts go in, messages come out.
#include "worker/loop/outbox.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/loop/limits.h"

namespace vigil::worker {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1000);

const AttemptId kFirst{JobId("a"), 1};
const AttemptId kSecond{JobId("b"), 1};

AttemptUpdate UpdateOf(const AttemptId& attempt) {
  AttemptUpdate update;
  update.attempt = attempt;
  update.phase = Phase::kActive;
  update.age = absl::Seconds(10);
  update.silence = absl::Seconds(1);
  return update;
}

AttemptEnd EndOf(const AttemptId& attempt) {
  AttemptEnd end;
  end.attempt = attempt;
  return end;
}

class OutboxTest : public testing::Test {
 protected:
  v1::Attach Open(const std::vector<AttemptId>& running) {
    v1::Attach attach;
    outbox_.Open(running, &attach);
    return attach;
  }
  v1::AttachRequest Fill(absl::Time now = kNow) {
    v1::AttachRequest request;
    const bool any = outbox_.Fill(now, &request);
    EXPECT_EQ(any, request.ByteSizeLong() > 0);
    return request;
  }

  Outbox outbox_;
};

TEST_F(OutboxTest, NothingIsSentWhileClosed) {
  outbox_.AddOutput(kFirst, OutputStream::kStdout, "x");
  outbox_.AddUpdate(UpdateOf(kFirst), kNow);
  outbox_.AddEnd(EndOf(kSecond));
  EXPECT_EQ(Fill().ByteSizeLong(), 0u);
}

TEST_F(OutboxTest, AnEndFollowsAllOutputOfItsAttempt) {
  Open({});
  const std::string piece(kReadBytesMax, 'x');
  for (int i = 0; i < 40; ++i) {
    outbox_.AddOutput(kFirst, OutputStream::kStdout, piece);
  }
  outbox_.AddEnd(EndOf(kFirst));
  int pieces = 0;
  int messages = 0;
  for (;;) {
    const v1::AttachRequest request = Fill();
    ASSERT_GT(request.ByteSizeLong(), 0u) << "the end is missing";
    EXPECT_LE(request.ByteSizeLong(), kMessageFillBytes + 2 * kReadBytesMax);
    ++messages;
    pieces += request.output_size();
    if (request.ends_size() > 0) break;
  }
  EXPECT_EQ(pieces, 40);
  EXPECT_GT(messages, 1);
  EXPECT_EQ(Fill().ByteSizeLong(), 0u);
}

TEST_F(OutboxTest, AnotherAttemptIsNotHeldUpByAFullMessage) {
  Open({});
  const std::string piece(kReadBytesMax, 'x');
  for (int i = 0; i < 20; ++i) {
    outbox_.AddOutput(kFirst, OutputStream::kStdout, piece);
  }
  outbox_.AddEnd(EndOf(kSecond));
  EXPECT_EQ(Fill().ends_size(), 0);
  EXPECT_EQ(Fill().ends_size(), 1);
}

TEST_F(OutboxTest, SaysWhetherOnlyEndsAreToBeSent) {
  Open({});
  EXPECT_FALSE(outbox_.only_ends());
  outbox_.AddOutput(kFirst, OutputStream::kStdout, "x");
  EXPECT_FALSE(outbox_.only_ends());
  outbox_.AddEnd(EndOf(kFirst));
  EXPECT_TRUE(outbox_.only_ends());
  outbox_.AddOutput(kSecond, OutputStream::kStdout, "x");
  EXPECT_FALSE(outbox_.only_ends());
  Fill();
  EXPECT_FALSE(outbox_.only_ends());
  outbox_.AddEnd(EndOf(kSecond));
  EXPECT_TRUE(outbox_.only_ends());
  outbox_.AddUpdate(UpdateOf(AttemptId{JobId("c"), 1}), kNow);
  EXPECT_FALSE(outbox_.only_ends());
}

TEST_F(OutboxTest, ListsEndsWhoseOutputIsAcknowledgedAndLetsOthersFollow) {
  Open({});
  outbox_.AddOutput(kFirst, OutputStream::kStdout, "abc");
  outbox_.AddEnd(EndOf(kFirst));
  outbox_.AddOutput(kSecond, OutputStream::kStdout, "de");
  outbox_.AddEnd(EndOf(kSecond));
  Fill();
  outbox_.OutputAcknowledged(kFirst, 3);
  outbox_.OutputAcknowledged(kSecond, 1);
  outbox_.Close();
  const v1::Attach attach = Open({AttemptId{JobId("c"), 2}});
  ASSERT_EQ(attach.ended_size(), 1);
  EXPECT_EQ(attach.ended(0).attempt().job_id(), "a");
  ASSERT_EQ(attach.running_size(), 2);
  EXPECT_EQ(attach.running(0).job_id(), "c");
  EXPECT_EQ(attach.running(1).job_id(), "b");
  const v1::AttachRequest request = Fill();
  ASSERT_EQ(request.output_size(), 1);
  EXPECT_EQ(request.output(0).output().offset(), 1);
  EXPECT_EQ(request.output(0).output().data(), "e");
  EXPECT_EQ(request.ends_size(), 1);
}

TEST_F(OutboxTest, EndsBeyondTheBoundOfAttachFollowAsMessages) {
  std::string text(4000, 'x');
  for (int i = 0; i < 400; ++i) {
    AttemptEnd end = EndOf({JobId(absl::StrCat("job", i)), 1});
    end.failure = Failure{Reason::kNonzeroExit, text, ""};
    outbox_.AddEnd(end);
  }
  const v1::Attach attach = Open({});
  EXPECT_LE(attach.ByteSizeLong(), size_t{2} << 20);
  EXPECT_EQ(attach.ended_size() + attach.running_size(), 400);
  EXPECT_GT(attach.running_size(), 0);
  int ends = attach.ended_size();
  while (true) {
    const v1::AttachRequest request = Fill();
    if (request.ByteSizeLong() == 0) break;
    ends += request.ends_size();
  }
  EXPECT_EQ(ends, 400);
}

std::shared_ptr<const std::string> State(const std::string& state) {
  return std::make_shared<const std::string>(state);
}

TEST_F(OutboxTest, OfCheckpointsWithinASecondOnlyTheLastIsSent) {
  Open({kFirst});
  outbox_.AddCheckpoint(kFirst, State("one"), kNow);
  const v1::AttachRequest first = Fill(kNow);
  ASSERT_EQ(first.checkpoints_size(), 1);
  EXPECT_EQ(first.checkpoints(0).state(), "one");
  outbox_.AddCheckpoint(kFirst, State("two"), kNow + absl::Milliseconds(1));
  outbox_.AddCheckpoint(kFirst, State("three"), kNow + absl::Milliseconds(2));
  const absl::Time due = kNow + kCheckpointInterval;
  EXPECT_EQ(Fill(due - absl::Nanoseconds(1)).checkpoints_size(), 0);
  EXPECT_EQ(outbox_.NextDeadline(), due);
  const v1::AttachRequest last = Fill(due);
  ASSERT_EQ(last.checkpoints_size(), 1);
  EXPECT_EQ(last.checkpoints(0).state(), "three");
  EXPECT_EQ(outbox_.NextDeadline(), absl::InfiniteFuture());
}

TEST_F(OutboxTest, TheLastCheckpointGoesBeforeTheEndHoweverSoon) {
  Open({kFirst});
  outbox_.AddCheckpoint(kFirst, State("one"), kNow);
  Fill(kNow);
  outbox_.AddCheckpoint(kFirst, State("two"), kNow);
  outbox_.AddEnd(EndOf(kFirst));
  const v1::AttachRequest request = Fill(kNow);
  ASSERT_EQ(request.checkpoints_size(), 1);
  EXPECT_EQ(request.checkpoints(0).state(), "two");
  EXPECT_EQ(request.ends_size(), 1);
}

TEST_F(OutboxTest, ACheckpointIsSentAgainAfterALossAlsoOfAnEndedAttempt) {
  Open({});
  outbox_.AddCheckpoint(kFirst, State("one"), kNow);
  outbox_.AddEnd(EndOf(kFirst));
  Fill(kNow);
  outbox_.Close();
  const v1::Attach attach = Open({});
  EXPECT_EQ(attach.ended_size(), 0);
  ASSERT_EQ(attach.running_size(), 1);
  const v1::AttachRequest request = Fill(kNow);
  ASSERT_EQ(request.checkpoints_size(), 1);
  EXPECT_EQ(request.checkpoints(0).state(), "one");
  EXPECT_EQ(request.ends_size(), 1);
}

TEST_F(OutboxTest, AnEndWithALargeResultGoesAlone) {
  const auto result = std::make_shared<const std::string>(size_t{3} << 20, 'r');
  AttemptEnd end = EndOf(kFirst);
  end.result = result;
  outbox_.AddEnd(end);
  end.attempt = kSecond;
  outbox_.AddEnd(end);
  const v1::Attach attach = Open({});
  EXPECT_EQ(attach.ended_size(), 0);
  EXPECT_EQ(attach.running_size(), 2);
  outbox_.AddUpdate(UpdateOf({JobId("c"), 1}), kNow);
  EXPECT_EQ(Fill().updates_size(), 1);
  for (int i = 0; i < 2; ++i) {
    const v1::AttachRequest request = Fill();
    EXPECT_EQ(request.ends_size(), 1);
    EXPECT_LT(request.ByteSizeLong(), result->size() + 1000);
  }
  EXPECT_EQ(Fill().ByteSizeLong(), 0u);
}

TEST_F(OutboxTest, AnEndTakesThePlaceOfUpdatesThatWereNotSent) {
  Open({kFirst});
  outbox_.AddUpdate(UpdateOf(kFirst), kNow);
  outbox_.AddUpdate(UpdateOf(kSecond), kNow);
  outbox_.AddEnd(EndOf(kFirst));
  const v1::AttachRequest request = Fill(kNow);
  ASSERT_EQ(request.updates_size(), 1);
  EXPECT_EQ(request.updates(0).attempt().job_id(), kSecond.job_id.value());
  EXPECT_EQ(request.ends_size(), 1);
}

TEST_F(OutboxTest, ForgettingAnEndEndsIt) {
  Open({});
  outbox_.AddOutput(kFirst, OutputStream::kStdout, "abc");
  outbox_.AddEnd(EndOf(kFirst));
  EXPECT_TRUE(outbox_.HasEnd(kFirst));
  EXPECT_FALSE(outbox_.no_ends());
  outbox_.Forget(kFirst);
  EXPECT_FALSE(outbox_.HasEnd(kFirst));
  EXPECT_TRUE(outbox_.no_ends());
  EXPECT_EQ(outbox_.HeldBytes(kFirst), 0);
  EXPECT_EQ(Fill().ByteSizeLong(), 0u);
}

TEST_F(OutboxTest, AfterALossTheLastUpdateIsToldAtItsAge) {
  Open({});
  outbox_.AddUpdate(UpdateOf(kFirst), kNow);
  EXPECT_EQ(Fill().updates_size(), 1);
  outbox_.Close();
  outbox_.AddUpdate(UpdateOf(kFirst), kNow);
  Open({kFirst});
  const v1::AttachRequest request = Fill(kNow + absl::Seconds(5));
  ASSERT_EQ(request.updates_size(), 1);
  EXPECT_EQ(FromProto(request.updates(0).age()), absl::Seconds(15));
  EXPECT_EQ(FromProto(request.updates(0).silence()), absl::Seconds(6));
}

TEST_F(OutboxTest, AnObservedClockIsToldOnceAlsoIfItFiredWhileClosed) {
  AttemptUpdate update = UpdateOf(kFirst);
  update.observed = Failure{Reason::kInactivityTimeout, "silent", ""};
  outbox_.AddUpdate(update, kNow);
  Open({kFirst});
  int observed = 0;
  const v1::AttachRequest first = Fill();
  for (const v1::AttemptUpdate& told : first.updates()) {
    observed += told.has_observed() ? 1 : 0;
  }
  EXPECT_EQ(observed, 1);
  outbox_.Close();
  Open({kFirst});
  const v1::AttachRequest second = Fill();
  for (const v1::AttemptUpdate& told : second.updates()) {
    EXPECT_FALSE(told.has_observed());
  }
}

}  // namespace
}  // namespace vigil::worker
