// Proves what the program `vigil` as a whole does: its streams, its signals and
// its exit status, as a process against a scripted coordinator in this one.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "base/unique_fd.h"
#include "client/cli/files.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class VigilTest : public VigilFixture {
 protected:
  static v1::WatchEvent Ended(v1::Job::State state, v1::Failure::Reason reason,
                              const std::string& message) {
    v1::WatchEvent event = client::JobEvent("j", state, "c");
    event.mutable_job()->mutable_failure()->set_reason(reason);
    event.mutable_job()->mutable_failure()->set_message(message);
    return event;
  }
};

TEST_F(VigilTest, RunPassesOutputOnAndExitsAsTheProgramDid) {
  v1::JobSpec spec;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    spec = request.job().spec();
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    write(client::OutputEvent("to stdout", "c"));
    v1::WatchEvent err = client::OutputEvent("to stderr", "c");
    err.mutable_output()->set_stream(v1::Output::STREAM_STDERR);
    write(err);
    v1::WatchEvent end =
        Ended(v1::Job::STATE_FAILED, v1::Failure::REASON_NONZERO_EXIT, "why");
    end.mutable_job()->mutable_exit()->set_status(3);
    write(end);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "--", "prog", "--flag"});
  EXPECT_EQ(vigil.Wait(), 3);
  EXPECT_EQ(vigil.out(), "to stdout");
  EXPECT_THAT(vigil.err(), StartsWith("to stderr\nvigil: "));
  EXPECT_THAT(vigil.err(),
              EndsWith("\nvigil: job j FAILED: NONZERO_EXIT: why\n"));
  EXPECT_THAT(spec.command().argv(), ElementsAre("prog", "--flag"));
  EXPECT_EQ(spec.retry().maximum_attempts(), 1);
}

TEST_F(VigilTest, C2_RunAsksForASecondAttemptWhereThePolicyNeedsOne) {
  v1::JobSpec spec;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    spec = request.job().spec();
    write(client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  EXPECT_EQ(Start({"run", "--on_nested_pool=retry-sequential", "p"}).Wait(), 0);
  EXPECT_EQ(spec.on_nested_pool(),
            v1::JobSpec::ON_NESTED_POOL_RETRY_SEQUENTIAL);
  EXPECT_EQ(spec.retry().maximum_attempts(), 2);
  EXPECT_EQ(Start({"run", "--on_nested_pool=sequential", "p"}).Wait(), 0);
  EXPECT_EQ(spec.retry().maximum_attempts(), 1);
  EXPECT_EQ(Start({"run", "--on_nested_pool=retry_sequential",
                   "--maximum_attempts=5", "p"})
                .Wait(),
            0);
  EXPECT_EQ(spec.retry().maximum_attempts(), 5);
}

TEST_F(VigilTest, RunOfASuccessSaysNothing) {
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "prog"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(vigil.out(), IsEmpty());
  EXPECT_THAT(vigil.err(), IsEmpty());
}

TEST_F(VigilTest, RunWritesTheResultOfAWarmTask) {
  v1::JobSpec spec;
  fake_.on_run = [&](auto*, const auto& request, const auto& write) {
    spec = request.job().spec();
    v1::WatchEvent end = client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c");
    end.mutable_job()->add_attempts()->set_number(1);
    end.mutable_job()->set_result("{\"answer\": 42}");
    write(end);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "--task_type=t", "--input={}"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_EQ(vigil.out(), "{\"answer\": 42}");
  EXPECT_THAT(vigil.err(), IsEmpty());
  EXPECT_EQ(spec.input(), "{}");
}

TEST_F(VigilTest, RunShowsProgressOnATerminalWhileItHappens) {
  const UniqueFd terminal(posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_TRUE(terminal.valid());
  ASSERT_EQ(grantpt(terminal.get()) | unlockpt(terminal.get()), 0);
  ASSERT_EQ(symlink(ptsname(terminal.get()), (dir_.path() + "/err").c_str()),
            0);
  absl::Notification seen;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    v1::WatchEvent event = client::JobEvent("j", v1::Job::STATE_RUNNING, "c");
    v1::Attempt* attempt = event.mutable_job()->add_attempts();
    attempt->set_number(1);
    attempt->set_phase(v1::Attempt::PHASE_ACTIVE);
    attempt->mutable_progress()->set_done(37);
    attempt->mutable_progress()->set_total(100);
    write(event);
    seen.WaitForNotification();
    write(client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "prog"});
  std::string shown;
  char data[256];
  while (shown.find("37 of 100") == std::string::npos) {
    const ssize_t got = read(terminal.get(), data, sizeof(data));
    if (got <= 0) break;
    shown.append(data, static_cast<size_t>(got));
  }
  seen.Notify();
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_EQ(shown, "vigil: 37 of 100");
}

TEST_F(VigilTest, RunThatCannotWriteTheResultSaysHowToGetIt) {
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    v1::WatchEvent end = client::JobEvent("j", v1::Job::STATE_SUCCEEDED, "c");
    end.mutable_job()->set_result("r");
    write(end);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  // A device that is always full.
  ASSERT_EQ(symlink("/dev/full", (dir_.path() + "/out").c_str()), 0);
  VigilProcess vigil = Start({"run", "--task_type=t"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(),
              HasSubstr("its result could not be written: cannot write"));
  EXPECT_THAT(vigil.err(), HasSubstr("`vigil explain j --result`"));
}

TEST_F(VigilTest, RunWithJsonEndsStderrWithTheJob) {
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(Ended(v1::Job::STATE_FAILED, v1::Failure::REASON_INACTIVITY_TIMEOUT,
                "silent"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "-ojson", "prog"});
  EXPECT_EQ(vigil.Wait(), 124);
  EXPECT_EQ(vigil.err(),
            "{\"job_id\":\"j\",\"state\":\"STATE_FAILED\",\"failure\":{"
            "\"reason\":\"REASON_INACTIVITY_TIMEOUT\",\"message\":\"silent\"}}"
            "\n");
}

TEST_F(VigilTest, InterruptCancelsTheJobAndWaitsForItsEnd) {
  absl::Notification running;
  absl::Notification cancelled;
  fake_.on_run = [&](auto*, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    running.Notify();
    cancelled.WaitForNotification();
    write(Ended(v1::Job::STATE_CANCELLED, v1::Failure::REASON_CANCELLED,
                "asked for"));
    return grpc::Status::OK;
  };
  fake_.on_cancel = [&](const auto& request, auto*) {
    EXPECT_EQ(request.job_id(), "j");
    cancelled.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "prog"});
  running.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  const std::vector<std::string> lines = absl::StrSplit(vigil.err(), '\n');
  ASSERT_EQ(lines.size(), 3u) << vigil.err();
  EXPECT_THAT(lines[0], StartsWith("vigil: cancelling "));
  EXPECT_EQ(lines[1], "vigil: job j CANCELLED: CANCELLED: asked for");
}

TEST_F(VigilTest, SecondInterruptLeavesAtOnce) {
  absl::Notification running;
  absl::Notification cancelled;
  fake_.on_run = [&](auto* context, const auto&, const auto& write) {
    write(client::JobEvent("j", v1::Job::STATE_RUNNING, "c"));
    running.Notify();
    // It never ends by itself.
    return client::Hang(*context);
  };
  fake_.on_cancel = [&](const auto&, auto*) {
    cancelled.Notify();
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "prog"});
  running.WaitForNotification();
  vigil.Signal(SIGINT);
  cancelled.WaitForNotification();
  vigil.Signal(SIGINT);
  EXPECT_EQ(vigil.Wait(), 130);
  EXPECT_THAT(vigil.err(), HasSubstr("still ends on the coordinator"));
}

TEST_F(VigilTest, RefusedJobIsVigilsOwnFailure) {
  fake_.on_run = [](auto*, const auto&, const auto&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no task type `t`");
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"run", "--task_type=t"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_EQ(vigil.err(), "vigil: NOT_FOUND: no task type `t`\n");
}

TEST_F(VigilTest, BatchExitsWith123WhenAJobFailedAndWritesAJsonLineEach) {
  fake_.on_status = [](auto* response) {
    response->set_slots_total(1);
    return grpc::Status::OK;
  };
  fake_.on_run_batch = [](auto*, auto* io) {
    v1::RunBatchRequest request;
    io->Read(&request);
    v1::RunBatchResponse response;
    response.mutable_event()->mutable_batch()->set_batch_id("b");
    io->Write(response);
    int64_t index = 0;
    while (!request.close() && io->Read(&request)) {
      for (const v1::BatchItem& item : request.items()) {
        response.Clear();
        v1::BatchResult* result = response.mutable_event()->add_results();
        result->set_index(index++);
        *result->mutable_job() = Ended(v1::Job::STATE_FAILED,
                                       v1::Failure::REASON_INVALID_INPUT, "bad")
                                     .job();
        if (item.arguments(1) == "a") {
          *result->mutable_job() =
              client::JobEvent("a", v1::Job::STATE_SUCCEEDED, "c").job();
        }
        io->Write(response);
      }
    }
    response.Clear();
    response.mutable_event()->mutable_batch()->set_batch_id("b");
    response.mutable_event()->mutable_batch()->set_state(
        v1::Batch::STATE_ENDED);
    io->Write(response);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string items = dir_.path() + "/items";
  ASSERT_TRUE(WriteFile(items, "a\nb\n").ok());
  VigilProcess vigil = Start({"batch", "-a", items, "-j1", "-ojson", "prog"});
  EXPECT_EQ(vigil.Wait(), 123);
  EXPECT_EQ(
      vigil.out(),
      "{\"index\":1,\"item\":\"a\",\"job_id\":\"a\",\"state\":\"SUCCEEDED\","
      "\"reason\":\"\",\"message\":\"\",\"attempts\":0}\n"
      "{\"index\":2,\"item\":\"b\",\"job_id\":\"j\",\"state\":\"FAILED\","
      "\"reason\":\"INVALID_INPUT\",\"message\":\"bad\",\"attempts\":0}\n");
  EXPECT_THAT(vigil.err(), HasSubstr("item 2 `b`: job j FAILED"));

  for (const char* flag : {"--input=x", "--stdin=/dev/null"}) {
    VigilProcess both =
        Start({"batch", "-a", items, "--input_json={}", flag, "p"});
    EXPECT_EQ(both.Wait(), 125);
    EXPECT_THAT(both.err(), HasSubstr("--input_json: the input is given by"));
  }

  VigilProcess expected =
      Start({"batch", "-a", items, "--ok_reasons=invalid-input", "prog"});
  EXPECT_EQ(expected.Wait(), 0);
  EXPECT_THAT(expected.err(), HasSubstr("as expected"));
}

TEST_F(VigilTest, ExplainIsForPeople) {
  fake_.on_status = [](auto*) { return grpc::Status::OK; };
  fake_.on_get = [](const auto& request, auto* response) {
    response->mutable_job()->set_job_id(request.job_id());
    response->mutable_job()->set_state(v1::Job::STATE_QUEUED);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess explain = Start({"explain", "job-1"});
  EXPECT_EQ(explain.Wait(), 0);
  EXPECT_THAT(explain.out(), StartsWith("job job-1 QUEUED\nwaits: "));
}

TEST_F(VigilTest, ExplainWritesTheResultAsItIsOrSaysWhyThereIsNone) {
  fake_.on_get = [](const auto& request, auto* response) {
    v1::Job* job = response->mutable_job();
    job->set_job_id(request.job_id());
    job->set_state(v1::Job::STATE_SUCCEEDED);
    if (request.job_id() == "whole") job->set_result(std::string("a\0\xff", 3));
    if (request.job_id() == "none") return grpc::Status::OK;
    if (request.job_id() == "half") job->set_partial_result("half");
    if (request.job_id() != "runs") return grpc::Status::OK;
    job->set_state(v1::Job::STATE_RUNNING);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess whole = Start({"explain", "--result", "whole"});
  EXPECT_EQ(whole.Wait(), 0);
  EXPECT_EQ(whole.out(), std::string("a\0\xff", 3));
  VigilProcess half = Start({"explain", "half", "--result"});
  EXPECT_EQ(half.Wait(), 0);
  EXPECT_EQ(half.out(), "half");
  VigilProcess none = Start({"explain", "none", "--result"});
  EXPECT_EQ(none.Wait(), 125);
  EXPECT_THAT(none.err(), HasSubstr("job none SUCCEEDED and left no result"));
  VigilProcess runs = Start({"explain", "runs", "--result"});
  EXPECT_EQ(runs.Wait(), 125);
  EXPECT_THAT(runs.err(),
              HasSubstr("job runs is RUNNING and has no result yet"));
  VigilProcess both = Start({"explain", "runs", "--result", "-ojson"});
  EXPECT_EQ(both.Wait(), 125);
  EXPECT_THAT(both.err(), HasSubstr("exclude each other"));
}

TEST_F(VigilTest, ExplainTellsAJobThatIsNotThereFromOneThatIsNotNamed) {
  fake_.on_get = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job nosuch");
  };
  fake_.Start(address_);
  VigilProcess missing = Start({"explain", "nosuch"});
  EXPECT_EQ(missing.Wait(), 4);
  EXPECT_THAT(missing.err(), HasSubstr("no job nosuch"));
  VigilProcess empty = Start({"explain", ""});
  EXPECT_EQ(empty.Wait(), 125);
  EXPECT_THAT(empty.err(), HasSubstr("the id is missing"));
}

TEST_F(VigilTest, UnreachableCoordinatorIsExplained) {
  for (const char* verb :
       {"status", "explain job", "batch prog", "worker list", "job watch j"}) {
    VigilProcess vigil = Start(absl::StrSplit(verb, ' '));
    EXPECT_EQ(vigil.Wait(), 125);
    EXPECT_THAT(vigil.err(),
                HasSubstr("cannot reach the coordinator at " + address_ +
                          " (given by VIGIL_ADDRESS): nobody listens there"))
        << verb;
  }
}

constexpr char kNestedLine[] =
    "vigil: NESTED_DISPATCH: job p (attempt 2) is a task of Vigil and cannot "
    "submit jobs: it would wait for a slot that it holds itself; submit from "
    "the client instead\n";

TEST_F(VigilTest, C1_InATaskNoPrivateCoordinatorIsStarted) {
  // The default address, where nobody listens, and a program that would be seen
  // to run.
  VigilProcess vigil =
      StartInTask({"run", "--coordinator_binary=/bin/echo", "--", "true"},
                  {"XDG_RUNTIME_DIR=" + dir_.path()});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_EQ(vigil.out(), "");
  EXPECT_EQ(vigil.err(), kNestedLine);
}

TEST_F(VigilTest, C1_InATaskItIsSaidAlsoWhereNobodyListens) {
  for (const char* verb : {"run prog", "run --task_type=t", "batch prog"}) {
    VigilProcess vigil =
        StartInTask(absl::StrSplit(verb, ' '), {"VIGIL_ADDRESS=" + address_});
    EXPECT_EQ(vigil.Wait(), 125);
    EXPECT_EQ(vigil.err(), kNestedLine) << verb;
  }
  VigilProcess status = StartInTask({"status"}, {"VIGIL_ADDRESS=" + address_});
  EXPECT_EQ(status.Wait(), 125);
  EXPECT_THAT(status.err(), HasSubstr("nobody listens there"));
}

TEST_F(VigilTest, EveryVerbHasHelpAndVersion) {
  for (const char* verb : {"run", "batch", "status", "explain", "worker"}) {
    VigilProcess help = Start({verb, "--help"});
    EXPECT_EQ(help.Wait(), 0);
    EXPECT_THAT(help.out(), StartsWith(absl::StrCat("usage: vigil ", verb)));
    VigilProcess same = Start({"help", verb});
    EXPECT_EQ(same.Wait(), 0);
    EXPECT_EQ(same.out(), help.out());
    VigilProcess version = Start({verb, "--version"});
    EXPECT_EQ(version.Wait(), 0);
    EXPECT_THAT(version.out(), StartsWith("vigil "));
  }
}

TEST_F(VigilTest, HelpOfHelpIsTheUsage) {
  VigilProcess usage = Start({"help"});
  EXPECT_EQ(usage.Wait(), 0);
  EXPECT_THAT(usage.out(), HasSubstr("usage: vigil VERB"));
  for (const char* word : {"--help", "-h", "help"}) {
    VigilProcess help = Start({"help", word});
    EXPECT_EQ(help.Wait(), 0) << word;
    EXPECT_EQ(help.out(), usage.out()) << word;
  }
}

TEST_F(VigilTest, AMisspeltVerbOfBatchIsNotRunAsAProgram) {
  const std::string meant =
      "did you mean `vigil batch list`? to run a program of that name: `vigil "
      "batch -- ";
  const std::pair<const char*, std::string> kWrong[] = {
      {"batch lst", meant + "lst`"},
      {"batch lits -o json", meant + "lits`"},
      {"batch --namespace x lits", meant + "lits`"},
      {"batch ", "an empty word is neither a program nor a verb of batch"},
      {"batch --namespace=x list",
       "flags stand behind the verb: `vigil batch list [flags] ...`"},
      {"batch -j 4 list", "flags stand behind the verb"},
      {"help batch lst", "batch has no `lst`; did you mean `list`?"},
  };
  for (const auto& [line, why] : kWrong) {
    VigilProcess vigil = Start(absl::StrSplit(line, ' '));
    EXPECT_EQ(vigil.Wait(), 125) << line;
    EXPECT_THAT(vigil.err(), HasSubstr(why)) << line;
  }
  for (const char* line :
       {"batch -- lst", "batch -j1 -- list", "batch cat", "batch prog list",
        "batch -a list prog", "batch ./lst", "batch --input list prog",
        "run help"}) {
    VigilProcess vigil = Start(absl::StrSplit(line, ' '));
    EXPECT_EQ(vigil.Wait(), 125) << line;
    EXPECT_THAT(vigil.err(),
                AnyOf(HasSubstr("nobody listens"), HasSubstr("cannot open")))
        << line;
  }
  for (const char* line : {"batch help", "batch help list"}) {
    VigilProcess help = Start(absl::StrSplit(line, ' '));
    EXPECT_EQ(help.Wait(), 0);
    EXPECT_THAT(help.out(), StartsWith("usage: vigil batch"));
    EXPECT_THAT(help.out(), HasSubstr("Also `vigil batch VERB`"));
  }
}

TEST_F(VigilTest, MisuseIsVigilsOwnFailureAndNamesWhatWasMeant) {
  VigilProcess verb = Start({"rnu"});
  EXPECT_EQ(verb.Wait(), 125);
  EXPECT_THAT(verb.err(), HasSubstr("did you mean `run`?"));
  VigilProcess early = Start({"--address=x:1", "run"});
  EXPECT_EQ(early.Wait(), 125);
  EXPECT_THAT(early.err(), HasSubstr("flags stand behind the verb"));
  VigilProcess flag = Start({"run", "--inactivty=3s", "prog"});
  EXPECT_EQ(flag.Wait(), 125);
  EXPECT_THAT(flag.err(), HasSubstr("did you mean --inactivity?"));
}

}  // namespace
}  // namespace vigil::cli
