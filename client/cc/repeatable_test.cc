// Proves which requests are safe to send again, and what makes them so.
#include "client/cc/repeatable.h"

#include "gtest/gtest.h"
#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/job_service.pb.h"

namespace vigil::client {
namespace {

TEST(MakeRepeatable, GivesASubmissionAnIdAndKeepsOneThatIsThere) {
  v1::SubmitJobRequest request;
  EXPECT_TRUE(MakeRepeatable(&request));
  EXPECT_EQ(request.request_id().size(), 32u);
  request.set_request_id("mine");
  EXPECT_TRUE(MakeRepeatable(&request));
  EXPECT_EQ(request.request_id(), "mine");
}

TEST(MakeRepeatable, GivesEachOfManySubmissionsItsOwnId) {
  v1::SubmitJobsRequest request;
  request.add_jobs();
  request.add_jobs()->set_request_id("mine");
  request.add_jobs();
  EXPECT_TRUE(MakeRepeatable(&request));
  EXPECT_EQ(request.jobs(0).request_id().size(), 32u);
  EXPECT_EQ(request.jobs(1).request_id(), "mine");
  EXPECT_EQ(request.jobs(2).request_id().size(), 32u);
  EXPECT_NE(request.jobs(0).request_id(), request.jobs(2).request_id());
}

TEST(MakeRepeatable, GivesABatchAnIdWhereItsRequestHasIt) {
  v1::CreateBatchRequest request;
  EXPECT_TRUE(MakeRepeatable(&request));
  EXPECT_EQ(request.open().request_id().size(), 32u);
}

TEST(MakeRepeatable, ItemsAreAddedAgainOnlyIfTheirIndexIsKnown) {
  v1::AddItemsRequest request;
  EXPECT_FALSE(MakeRepeatable(&request));
  request.set_first_index(0);
  EXPECT_TRUE(MakeRepeatable(&request));
}

TEST(MakeRepeatable, LeavesWhatChangesNothingAsItIs) {
  v1::ListJobsRequest request;
  EXPECT_TRUE(MakeRepeatable(&request));
  EXPECT_EQ(request.ByteSizeLong(), 0u);
}

}  // namespace
}  // namespace vigil::client
