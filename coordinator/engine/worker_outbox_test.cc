// Proves the order and size of what is sent: nothing overtakes what is held,
// and nothing is packed into a message that was.
#include "coordinator/engine/worker_outbox.h"

#include <memory>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

TEST(WorkerOutboxTest, SmallThingsShareAMessageUpToItsSize) {
  WorkerOutbox outbox;
  v1::AttachResponse* first = outbox.Open(1);
  EXPECT_EQ(outbox.Open(kMessageBytesSoftMax - 1), first);
  EXPECT_NE(outbox.Open(1), first);
}

TEST(WorkerOutboxTest, WhatIsHeldIsWaitedForAndSentAlone) {
  WorkerOutbox outbox;
  outbox.Open(1)->add_stops();
  const auto held = outbox.Hold(1);
  held->message.add_assignments();
  held->ready = true;
  outbox.Open(1)->add_stops();
  EXPECT_EQ(outbox.Take()->stops_size(), 1);
  const auto message = outbox.Take();
  EXPECT_EQ(message->assignments_size(), 1);
  EXPECT_EQ(message->stops_size(), 0);
  EXPECT_EQ(outbox.Take()->stops_size(), 1);
  outbox.Hold(1);
  outbox.Open(1);
  EXPECT_FALSE(outbox.Take().has_value());
}

TEST(WorkerOutboxTest, WhatIsPutOffIsFilledWhenItIsTheFirstAndNotBefore) {
  WorkerOutbox outbox;
  outbox.Open(1)->add_stops();
  int filled = 0;
  std::shared_ptr<WorkerOutbox::Pending> later;
  outbox.PutOff([&](const std::shared_ptr<WorkerOutbox::Pending>& pending) {
    ++filled;
    later = pending;
  });
  outbox.Open(1)->add_stops();
  EXPECT_TRUE(outbox.Take().has_value());
  EXPECT_EQ(filled, 0);
  EXPECT_FALSE(outbox.Take().has_value());
  EXPECT_FALSE(outbox.Take().has_value());
  EXPECT_EQ(filled, 1);
  later->message.add_assignments();
  later->ready = true;
  EXPECT_EQ(outbox.Take()->assignments_size(), 1);
  EXPECT_EQ(outbox.Take()->stops_size(), 1);
  EXPECT_EQ(outbox.size_bytes(), 0);
}

}  // namespace
}  // namespace vigil::coordinator
