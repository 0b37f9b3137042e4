// Proves that a client in a task of Vigil says so with each of its calls, and
// that any other says nothing.
#include <stdlib.h>

#include <string>
#include <vector>

#include "client/cc/client_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::client {
namespace {

using ::testing::ElementsAre;

// Sets VIGIL_TASK for this process, until it goes away.
class InTask {
 public:
  explicit InTask(const char* token) { setenv("VIGIL_TASK", token, 1); }
  ~InTask() { unsetenv("VIGIL_TASK"); }
};

// What a call says of the task that it was made in.
std::vector<std::string> TaskOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range("vigil-task");
  std::vector<std::string> tokens;
  for (auto it = begin; it != end; ++it) {
    tokens.emplace_back(it->second.data(), it->second.size());
  }
  return tokens;
}

TEST_F(ClientTest, C1_EveryCallSaysWhichTaskMadeIt) {
  std::vector<std::string> of_submit;
  std::vector<std::string> of_run;
  std::vector<std::string> of_watch;
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    of_submit = TaskOf(*context);
    return grpc::Status::OK;
  };
  fake_.on_run = [&](auto* context, const auto&, const auto& write) {
    of_run = TaskOf(*context);
    write(JobEvent("j", v1::Job::STATE_RUNNING, "1"));
    return kUnavailable;
  };
  fake_.on_watch = [&](auto* context, const auto&, const auto& write) {
    of_watch = TaskOf(*context);
    write(JobEvent("j", v1::Job::STATE_SUCCEEDED, "2"));
    return grpc::Status::OK;
  };
  const InTask task("job=p;attempt=2");
  Start();
  EXPECT_TRUE(client_->Call(v1::SubmitJobRequest()).Wait().ok());
  client_->RunJob({}, recorder_.Observer());
  recorder_.ended.WaitForNotification();
  EXPECT_THAT(of_submit, ElementsAre("job=p;attempt=2"));
  EXPECT_THAT(of_run, ElementsAre("job=p;attempt=2"));
  EXPECT_THAT(of_watch, ElementsAre("job=p;attempt=2"));
}

TEST_F(ClientTest, OutsideOfTasksNothingIsSaid) {
  std::vector<std::string> of_submit = {"not called"};
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    of_submit = TaskOf(*context);
    return grpc::Status::OK;
  };
  const InTask none("");
  Start();
  EXPECT_TRUE(client_->Call(v1::SubmitJobRequest()).Wait().ok());
  EXPECT_THAT(of_submit, ElementsAre());
}

TEST_F(ClientTest, ATokenThatMetadataCannotCarryIsSentAllTheSame) {
  std::vector<std::string> of_submit;
  fake_.on_submit = [&](auto* context, const auto&, auto*) {
    of_submit = TaskOf(*context);
    return grpc::Status::OK;
  };
  const InTask task("two\nlines");
  Start();
  EXPECT_TRUE(client_->Call(v1::SubmitJobRequest()).Wait().ok());
  EXPECT_THAT(of_submit, ElementsAre("two?lines"));
}

}  // namespace
}  // namespace vigil::client
