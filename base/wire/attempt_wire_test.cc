// Proves that the plain values and the wire agree: numbers of enums, text that
// is not UTF-8, and every field of an attempt's end on its way there and back.
#include "base/wire/attempt_wire.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/wire/time_wire.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace vigil {
namespace {

TEST(AttemptWireTest, ReasonsHaveTheNumbersAndNamesOfTheProto) {
  const auto* reasons = v1::Failure::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto* value = reasons->value(i);
    if (value->number() == 0) continue;
    const Reason reason = static_cast<Reason>(value->number());
    EXPECT_EQ("REASON_" + ReasonName(reason), value->name());
    EXPECT_FALSE(AdviceFor(reason).empty()) << value->name();
  }
  EXPECT_EQ(ReasonName(static_cast<Reason>(77)), "REASON_77");
  EXPECT_FALSE(RetriedByDefault(static_cast<Reason>(77)));
}

TEST(AttemptWireTest, Utf8IsKeptAndOtherBytesAreEscaped) {
  EXPECT_EQ(ToUtf8("käse €", 100), "käse €");
  EXPECT_EQ(ToUtf8("a\xff\xc3(", 100), "a\\xff\\xc3(");
  EXPECT_EQ(ToUtf8("\xed\xa0\x80", 100), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(ToUtf8("\xc0\x80", 100), "\\xc0\\x80");           // overlong
  EXPECT_EQ(ToUtf8("€€", 4), "€");  // cut at a character
}

TEST(AttemptWireTest, DurationsThatProtobufDoesNotKnowAreCut) {
  const auto back = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Duration proto;
    proto.set_seconds(seconds);
    proto.set_nanos(nanos);
    google::protobuf::Duration shown;
    ToProto(FromProto(proto), &shown);
    return std::pair(shown.seconds(), shown.nanos());
  };
  constexpr int64_t kMax = 315'576'000'000;
  constexpr auto kInt64 = std::numeric_limits<int64_t>();
  EXPECT_EQ(back(kMax, 0), (std::pair<int64_t, int32_t>(kMax, 0)));
  EXPECT_EQ(back(kMax, 1), (std::pair<int64_t, int32_t>(kMax, 0)));
  EXPECT_EQ(back(kInt64.max(), 5), (std::pair<int64_t, int32_t>(kMax, 0)));
  EXPECT_EQ(back(kInt64.min(), -5), (std::pair<int64_t, int32_t>(-kMax, 0)));
  EXPECT_EQ(back(2, -500'000'000),
            (std::pair<int64_t, int32_t>(1, 500'000'000)));
}

TEST(AttemptWireTest, EndSurvivesTheWire) {
  AttemptEnd end;
  end.attempt = {JobId("j"), 3};
  end.last.attempt = end.attempt;
  end.last.phase = Phase::kEnded;
  end.last.slot = 2;
  end.last.age = absl::Seconds(9) + absl::Nanoseconds(1);
  end.last.silence = absl::Seconds(2);
  end.last.longest_silence = absl::Seconds(4);
  end.last.tokens = 5;
  end.last.heartbeats = 6;
  end.last.stdout_bytes = 7;
  end.last.stderr_bytes = 8;
  end.last.progress = Progress{37, 100, "37 of 100"};
  end.failure = Failure{Reason::kInactivityTimeout, "silent", "speak"};
  end.exit = Exit{};
  end.exit->signal = 15;
  end.exit->user_time = absl::Milliseconds(3);
  end.evidence = Evidence{};
  end.evidence->leftover_processes_killed = 2;
  end.evidence->killed = true;
  end.evidence->last_output = "last";
  end.evidence->cpu_time_in_silence = absl::Seconds(1);
  end.spawn_errno = 11;
  end.retryable = true;
  end.never_started = true;
  end.time_to_active = absl::Milliseconds(8);
  end.process_failed = true;
  end.result = std::make_shared<const std::string>("result");
  end.next_retry_delay = absl::Minutes(7);
  v1::AttemptEnd proto;
  ToProto(end, &proto);
  v1::AttemptEnd again;
  ToProto(FromProto(proto), &again);
  EXPECT_EQ(proto.SerializeAsString(), again.SerializeAsString());
  EXPECT_EQ(proto.last().progress().done(), 37);
  EXPECT_EQ(proto.failure().advice(), "speak");
  EXPECT_EQ(proto.exit().signal(), 15);
  EXPECT_TRUE(proto.never_started());
  EXPECT_EQ(proto.evidence().leftover_processes_killed(), 2);
  EXPECT_TRUE(proto.process_failed());
  EXPECT_EQ(proto.result(), "result");
  EXPECT_EQ(proto.next_retry_delay().seconds(), 7 * 60);
}

TEST(AttemptWireTest, AnEmptyResultIsNotNone) {
  AttemptEnd end;
  v1::AttemptEnd proto;
  ToProto(end, &proto);
  EXPECT_EQ(FromProto(proto).result, nullptr);
  EXPECT_FALSE(FromProto(proto).next_retry_delay.has_value());
  end.result = std::make_shared<const std::string>();
  ToProto(end, &proto);
  ASSERT_NE(FromProto(proto).result, nullptr);
  EXPECT_EQ(*FromProto(proto).result, "");
}

TEST(AttemptWireTest, CheckpointSurvivesTheWire) {
  const AttemptCheckpoint checkpoint{
      {JobId("j"), 3}, std::make_shared<const std::string>("a\0\xff", 3)};
  v1::AttemptCheckpoint proto;
  ToProto(checkpoint, &proto);
  const AttemptCheckpoint again = FromProto(proto);
  EXPECT_EQ(again.attempt, checkpoint.attempt);
  EXPECT_EQ(*again.state, *checkpoint.state);
}

TEST(AttemptWireTest, TaskTypeStatusSurvivesTheWireAndIsUtf8) {
  const TaskTypeStatus status{"type", "no cache", 17, 3};
  v1::TaskTypeStatus proto;
  ToProto(status, &proto);
  EXPECT_EQ(FromProto(proto), status);
  ToProto(TaskTypeStatus{"type", "a\xff", 1, 0}, &proto);
  EXPECT_EQ(proto.degraded(), "a\\xff");
}

TEST(TimeWireTest, TimesBeforeAndAfterTheEpochSurvive) {
  for (const int64_t nanos :
       {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{1700000000123456789}}) {
    const absl::Time time = absl::FromUnixNanos(nanos);
    google::protobuf::Timestamp proto;
    ToProto(time, &proto);
    EXPECT_GE(proto.nanos(), 0);
    EXPECT_EQ(FromProto(proto), time);
  }
  google::protobuf::Duration duration;
  ToProto(-absl::Milliseconds(1500), &duration);
  EXPECT_EQ(duration.seconds(), -1);
  EXPECT_EQ(duration.nanos(), -500000000);
  EXPECT_EQ(FromProto(duration), -absl::Milliseconds(1500));
}

}  // namespace
}  // namespace vigil
