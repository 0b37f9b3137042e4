// Proves what a worker does with warm tasks and large results where a real
// coordinator would be too quick to show it: real loop, slots and processes
// against a fake coordinator in this process, and a task that speaks the raw
// protocol.
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/worker_fixture.h"

namespace vigil::worker {
namespace {

constexpr auto kStdout = v1::Output::STREAM_STDOUT;

// Its input is how many tokens of 64 KiB it writes, and the size of its result;
// the last token and the result are one write. The first byte of the result
// tells its jobs apart.
constexpr char kTask[] = R"(
import json, os, socket
channel = socket.socket(fileno=int(os.environ["VIGIL_FD"]))
lines = channel.makefile("r")
jobs = 0
for line in lines:
    frame = json.loads(line)
    if "hello" in frame:
        channel.sendall(b'{"hello":{"version":1}}\n')
        continue
    if "start" not in frame:
        continue
    jobs += 1
    tokens, size = map(int, frame["start"]["input"]["text"].split())
    def say(**what):
        return json.dumps(
            {"attempt_id": frame["attempt_id"], **what}).encode() + b"\n"
    channel.sendall(say(started={}))
    token = say(token={"text": "t" * 65536})
    for _ in range(tokens - 1):
        channel.sendall(token)
    result = say(result={"text": str(jobs) + "r" * (size - 1)})
    channel.sendall((token if tokens else b"") + result)
)";

class WorkerWarmTest : public WorkerTest {
 protected:
  void StartWarmWorker() {
    WorkerOptions options;
    v1::TaskType* type = options.catalog.add_task_types();
    type->set_name("warm");
    for (const char* argument : {"/usr/bin/python3", "-c", kTask}) {
      type->add_argv(argument);
    }
    type->set_frames(v1::TaskType::FRAMES_JSON);
    StartWorker(std::move(options));
  }
  static v1::Assignment Warm(const std::string& job, int tokens, int size) {
    v1::Assignment assignment = Shell(job, "");
    assignment.mutable_spec()->clear_command();
    assignment.mutable_spec()->set_task_type("warm");
    assignment.mutable_spec()->set_input(absl::StrCat(tokens, " ", size));
    return assignment;
  }
};

TEST_F(WorkerWarmTest, OneProcessTakesOneJobAfterTheOther) {
  StartWarmWorker();
  for (int i = 1; i <= 3; ++i) {
    const std::string job = absl::StrCat("job", i);
    Assign(Warm(job, 1, 1));
    const v1::AttemptEnd end = coordinator_.WaitForEnd(job);
    EXPECT_FALSE(end.has_failure()) << end.ShortDebugString();
    EXPECT_EQ(end.result(), absl::StrCat(i));
    EXPECT_EQ(end.last().tokens(), 1);
    EXPECT_EQ(coordinator_.Output(job, kStdout).size(), 65536u);
  }
}

TEST_F(WorkerWarmTest, OutputThatNobodyTookDoesNotStopTheNextJob) {
  coordinator_.Behave([](auto& b) { b.acknowledge_output = false; });
  StartWarmWorker();
  // The last token makes it 1 MiB, and the result comes with it.
  Assign(Warm("full", 16, 1));
  EXPECT_FALSE(coordinator_.WaitForEnd("full").has_failure());
  Assign(Warm("next", 1, 1));
  EXPECT_EQ(coordinator_.WaitForEnd("next").result(), "2");
}

TEST_F(WorkerWarmTest, AResultOf3MiBArrives) {
  StartWarmWorker();
  Assign(Warm("large", 15, 3 << 20));
  const v1::AttemptEnd end = coordinator_.WaitForEnd("large");
  EXPECT_FALSE(end.has_failure()) << end.failure().message();
  EXPECT_EQ(end.result().size(), size_t{3} << 20);
}

}  // namespace
}  // namespace vigil::worker
