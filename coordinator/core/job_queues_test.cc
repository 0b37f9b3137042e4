// Proves the order of waiting jobs: by type, then priority, then submission.
#include "coordinator/core/job_queues.h"

#include <vector>

#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

class JobQueuesTest : public testing::Test {
 protected:
  JobQueuesTest() : jobs_(5) {
    const int priorities[] = {0, 5, 0, 5, -1};
    for (size_t i = 0; i < jobs_.size(); ++i) {
      jobs_[i].priority = priorities[i];
      jobs_[i].sequence = i + 1;
      jobs_[i].task_type = "t";
    }
  }
  std::vector<Job> jobs_;
  JobQueues queues_;
};

TEST_F(JobQueuesTest, HigherPriorityFirstThenFirstComeFirstServed) {
  for (size_t i = jobs_.size(); i-- > 0;) queues_.Add(&jobs_[i]);
  for (const int expected : {1, 3, 0, 2, 4}) {
    Job* first = queues_.First("t");
    ASSERT_EQ(first, &jobs_[expected]);
    EXPECT_TRUE(queues_.Contains(*first));
    queues_.Remove(*first);
    EXPECT_FALSE(queues_.Contains(*first));
  }
  EXPECT_EQ(queues_.First("t"), nullptr);
  EXPECT_TRUE(queues_.queues().empty());
}

TEST_F(JobQueuesTest, TypesAreApart) {
  jobs_[1].task_type = "other";
  queues_.Add(&jobs_[0]);
  queues_.Add(&jobs_[1]);
  EXPECT_EQ(queues_.First("t"), &jobs_[0]);
  EXPECT_EQ(queues_.First("other"), &jobs_[1]);
  EXPECT_EQ(queues_.First(""), nullptr);
  queues_.Remove(jobs_[2]);  // not there
  queues_.Remove(jobs_[0]);
  EXPECT_EQ(queues_.queues().size(), 1u);
}

}  // namespace
}  // namespace vigil::coordinator
