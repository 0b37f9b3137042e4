// Proves what generated commands do, write and exit with, as processes against
// a scripted coordinator: calls, pages, streams either way, errors and help.
#include "client/cli/command/command.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CommandTest : public VigilFixture {
 protected:
  // 25 workers, in pages of at most 10, the second of which is empty.
  void ServeWorkers() {
    fake_.on_list_workers = [this](const auto& request, auto* response) {
      {
        absl::MutexLock lock(&mu_);
        page_sizes_.push_back(request.page_size());
      }
      int first = 0;
      if (!request.page_token().empty()) {
        EXPECT_TRUE(absl::SimpleAtoi(request.page_token(), &first));
      }
      if (first == 10 && request.page_token() == "10") {
        response->set_next_page_token("010");
        return grpc::Status::OK;
      }
      const int end = std::min({25, first + 10, first + request.page_size()});
      for (int i = first; i < end; ++i) {
        response->add_workers()->set_worker_id(absl::StrCat("w", i));
      }
      if (end < 25) response->set_next_page_token(absl::StrCat(end));
      return grpc::Status::OK;
    };
  }

  std::vector<int> page_sizes() {
    absl::MutexLock lock(&mu_);
    return page_sizes_;
  }

  static std::string Names(int count) {
    std::string names;
    for (int i = 0; i < count; ++i) absl::StrAppend(&names, "w", i, "\n");
    return names;
  }

 private:
  absl::Mutex mu_;
  std::vector<int> page_sizes_;
};

TEST_F(CommandTest, StatusIsJsonWithTheProtosNames) {
  fake_.on_status = [](auto* response) {
    response->set_build("b");
    response->set_slots_busy(3);
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"status", "-o", "json"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(vigil.out(), AllOf(StartsWith("{\n \"build\": \"b\""),
                                 HasSubstr("\"slots_busy\": 3")));
  EXPECT_EQ(vigil.err(), "");
}

TEST_F(CommandTest, WordsAndFlagsMakeTheRequest) {
  v1::SubmitJobRequest sent;
  fake_.on_submit = [&](grpc::ServerContext*, const auto& request,
                        auto* response) {
    sent = request;
    response->mutable_job()->set_job_id("j1");
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess wrong =
      Start({"job", "submit", "--retry.retry-on=oom_killed", "prog"});
  EXPECT_EQ(wrong.Wait(), 125);
  EXPECT_THAT(wrong.err(),
              HasSubstr("--retry.retry_on: `oom_killed` is none of"));
  VigilProcess vigil =
      Start({"job", "submit", "--timeouts.inactivity=2s", "--labels=a=b",
             "--retry.retry-on=inactivity-timeout,out_of_memory", "-o", "name",
             "prog", "--its-own"});
  EXPECT_EQ(vigil.Wait(), 0) << vigil.err();
  EXPECT_EQ(vigil.out(), "j1\n");
  EXPECT_THAT(sent.spec().command().argv(), ElementsAre("prog", "--its-own"));
  EXPECT_EQ(sent.spec().timeouts().inactivity_timeout().seconds(), 2);
  EXPECT_EQ(sent.spec().labels().at("a"), "b");
  EXPECT_THAT(sent.spec().retry().retry_on(),
              ElementsAre(v1::Failure::REASON_INACTIVITY_TIMEOUT,
                          v1::Failure::REASON_OUT_OF_MEMORY));
}

TEST_F(CommandTest, WhatIsNotThereHasAStatusOfItsOwnAndIsExplained) {
  fake_.on_get = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job j");
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"job", "get", "j"});
  EXPECT_EQ(vigil.Wait(), 4);
  EXPECT_EQ(vigil.out(), "");
  EXPECT_EQ(vigil.err(),
            "vigil: NOT_FOUND: no job j\n"
            "vigil: no such job in this namespace, or its retention is over; "
            "`vigil job list` shows those there are\n");
}

TEST_F(CommandTest, ARefusalSaysWhenToComeBack) {
  fake_.on_submit = [](grpc::ServerContext* context, const auto&, auto*) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "1500");
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full");
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"job", "submit", "prog"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_THAT(vigil.err(), HasSubstr("try again in 1.5s"));
}

TEST_F(CommandTest, ARequestThatIsTooLargeIsNotSent) {
  std::atomic<int> calls = 0;
  fake_.on_submit = [&](auto*, const auto&, auto*) {
    ++calls;
    return grpc::Status::OK;
  };
  fake_.on_run_batch = [&](auto*, auto* io) {
    v1::RunBatchRequest request;
    while (io->Read(&request)) ++calls;
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string path = dir_.path() + "/large";
  // 4 MiB - 64 KiB is the most; a few bytes are around it.
  ASSERT_TRUE(WriteFile(path, std::string(4'128'700, '0')).ok());
  EXPECT_EQ(Start({"job", "submit", "--input=@" + path, "p"}).Wait(), 0);
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(WriteFile(path, std::string(4'128'769, '0')).ok());
  VigilProcess unary = Start({"job", "submit", "--input=@" + path, "p"});
  EXPECT_EQ(unary.Wait(), 125);
  EXPECT_THAT(unary.err(),
              AllOf(StartsWith("vigil: the request has 41287"),
                    HasSubstr(" bytes, and 4128768 are the most")));
  ASSERT_TRUE(
      WriteFile(path, absl::StrCat("{\"close\": false}\n{\"items\": [{"
                                   "\"input\": \"",
                                   std::string(6'000'000, 'A'), "\"}]}\n"))
          .ok());
  VigilProcess stream = Start({"batch", "run", "--from_file=" + path});
  EXPECT_EQ(stream.Wait(), 125);
  EXPECT_THAT(stream.err(),
              HasSubstr("--from_file: line 2: the request has 45000"));
  EXPECT_LE(calls, 2);
}

TEST_F(CommandTest, AListIsPrintedUpToItsLimitWhateverThePagesAre) {
  ServeWorkers();
  fake_.Start(address_);
  VigilProcess some = Start({"worker", "list", "-o", "name", "--limit=13"});
  EXPECT_EQ(some.Wait(), 0);
  EXPECT_EQ(some.out(), Names(13));
  EXPECT_EQ(some.err(),
            "vigil: there may be more: --limit=N prints more than 13, --all "
            "prints all\n");
  EXPECT_THAT(page_sizes(), ElementsAre(13, 3, 3));
}

TEST_F(CommandTest, AllOfAListIsAllOfItsPages) {
  ServeWorkers();
  fake_.Start(address_);
  VigilProcess all = Start({"worker", "list", "-o", "name", "--all"});
  EXPECT_EQ(all.Wait(), 0);
  EXPECT_EQ(all.out(), Names(25));
  EXPECT_EQ(all.err(), "");
  VigilProcess exact = Start({"worker", "list", "-o", "name", "--limit=25"});
  EXPECT_EQ(exact.Wait(), 0);
  EXPECT_EQ(exact.err(), "");
}

TEST_F(CommandTest, RowsAboveTheLimitAreLeftOut) {
  fake_.on_list_workers = [](const auto&, auto* response) {
    for (const char* id : {"a", "b", "c"}) {
      response->add_workers()->set_worker_id(id);
    }
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"worker", "list", "-o", "name", "--limit=2"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_EQ(vigil.out(), "a\nb\n");
}

TEST_F(CommandTest, AStreamIsPrintedAsItComes) {
  absl::Notification seen;
  fake_.on_watch = [&](grpc::ServerContext*, const v1::WatchJobRequest&,
                       const client::FakeCoordinator::Write& write) {
    write(client::OutputEvent("first\n", "1"));
    seen.WaitForNotification();
    write(client::OutputEvent("second\n", "2"));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"job", "watch", "j"});
  while (vigil.out() != "first\n") absl::SleepFor(absl::Milliseconds(1));
  seen.Notify();
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_EQ(vigil.out(), "first\nsecond\n");
}

TEST_F(CommandTest, ABrokenStreamSaysHowToGoOn) {
  fake_.on_watch = [&](grpc::ServerContext*, const v1::WatchJobRequest&,
                       const client::FakeCoordinator::Write& write) {
    write(client::OutputEvent("a\n", "1"));
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  };
  fake_.Start(address_);
  VigilProcess vigil = Start({"job", "watch", "j", "--namespace=dev"});
  EXPECT_EQ(vigil.Wait(), 125);
  EXPECT_EQ(vigil.out(), "a\n");
  EXPECT_THAT(vigil.err(),
              HasSubstr("vigil: to go on from there: vigil job watch j "
                        "--namespace=dev --cursor=base64:MQ==\n"));
  VigilProcess flag(dir_.path(), {"job", "watch", "j", "--address", address_},
                    {});
  EXPECT_EQ(flag.Wait(), 125);
  EXPECT_THAT(flag.err(),
              HasSubstr(" --cursor=base64:MQ== --address=" + address_ + "\n"));
}

TEST_F(CommandTest, CtrlCEndsAStreamAndACall) {
  std::atomic<bool> asked = false;
  const auto wait = [&](grpc::ServerContext* context) {
    asked = true;
    return client::Hang(*context);
  };
  fake_.on_watch = [&](grpc::ServerContext* context, const auto&, const auto&) {
    return wait(context);
  };
  fake_.on_submit = [&](grpc::ServerContext* context, const auto&, auto*) {
    return wait(context);
  };
  fake_.Start(address_);
  for (const char* words : {"job watch j", "job submit prog"}) {
    asked = false;
    VigilProcess vigil = Start(absl::StrSplit(words, ' '));
    while (!asked) absl::SleepFor(absl::Milliseconds(1));
    vigil.Signal(SIGINT);
    EXPECT_EQ(vigil.Wait(), 130) << words;
    EXPECT_EQ(vigil.err(), "") << words;
  }
}

TEST_F(CommandTest, RequestsOfAStreamAreReadLineByLine) {
  std::vector<std::string> inputs;
  fake_.on_run_batch = [&](grpc::ServerContext*,
                           client::FakeCoordinator::BatchIo* io) {
    v1::RunBatchRequest request;
    while (io->Read(&request)) {
      if (request.has_open()) {
        inputs.push_back("open " + request.open().namespace_());
      }
      for (const auto& item : request.items()) inputs.push_back(item.input());
      if (request.close()) inputs.push_back("close");
    }
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string path = dir_.path() + "/lines";
  ASSERT_TRUE(WriteFile(path,
                        "{\"items\": [{\"input\": \"YQ==\"}]}\n\n"
                        "{\"items\": [{\"input\": \"Yg==\"}], \"close\": true}")
                  .ok());
  VigilProcess flags =
      Start({"batch", "run", "--namespace=dev", "--from-file=" + path});
  EXPECT_EQ(flags.Wait(), 0) << flags.err();
  EXPECT_THAT(inputs, ElementsAre("open dev", "a", "b", "close"));
  inputs.clear();
  // Without a word of the first request the first line is it.
  VigilProcess lines = Start({"batch", "run", "--from-file=" + path});
  EXPECT_EQ(lines.Wait(), 0) << lines.err();
  EXPECT_THAT(inputs, ElementsAre("a", "b", "close"));
  ASSERT_TRUE(WriteFile(path, "{\"items\": []}\n{\"itms\": []}\n").ok());
  VigilProcess bad = Start({"batch", "run", "--from-file=" + path});
  EXPECT_EQ(bad.Wait(), 125);
  EXPECT_THAT(bad.err(), HasSubstr("--from_file: line 2: not a "
                                   "vigil.v1.RunBatchRequest as JSON"));
}

TEST_F(CommandTest, TheWholeRequestMayComeFromAFile) {
  v1::GetJobRequest sent;
  fake_.on_get = [&](const auto& request, auto*) {
    sent = request;
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string path = dir_.path() + "/request";
  ASSERT_TRUE(WriteFile(path, "job_id: 'j' namespace: 'dev'").ok());
  VigilProcess vigil =
      Start({"job", "get", "--namespace=prod", "--from-file", path});
  EXPECT_EQ(vigil.Wait(), 0) << vigil.err();
  EXPECT_EQ(sent.job_id(), "j");
  EXPECT_EQ(sent.namespace_(), "prod");
  VigilProcess twice =
      Start({"job", "watch", "--from-file=-", "--cursor=@-", "j"});
  EXPECT_EQ(twice.Wait(), 125);
  EXPECT_THAT(twice.err(), HasSubstr("stdin is wanted twice"));
}

TEST_F(CommandTest, AFileThatCannotBeReadIsToldByItsFlag) {
  VigilProcess whole = Start({"job", "get", "--from_file=/nosuch"});
  EXPECT_EQ(whole.Wait(), 125);
  EXPECT_THAT(whole.err(),
              StartsWith("vigil: --from_file: cannot open `/nosuch`"));
  VigilProcess value = Start({"job", "submit", "--input=@/nosuch", "p"});
  EXPECT_EQ(value.Wait(), 125);
  EXPECT_THAT(value.err(), StartsWith("vigil: --input: cannot open `/nosuch`"));
  const std::string path = dir_.path() + "/large";
  ASSERT_TRUE(WriteFile(path, std::string((8 << 20) + 1, ' ')).ok());
  VigilProcess large = Start({"job", "get", "--from_file=" + path});
  EXPECT_EQ(large.Wait(), 125);
  EXPECT_THAT(large.err(),
              AllOf(HasSubstr("--from_file: `" + path + "` has more than"),
                    Not(HasSubstr("give the program"))));
}

TEST_F(CommandTest, TheContextsNamespaceIsThatOfWhoNamesNone) {
  std::vector<std::string> asked;
  fake_.on_get = [&](const auto& request, auto*) {
    asked.push_back(request.namespace_());
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  const std::string home = "HOME=" + dir_.path();
  VigilProcess set(
      dir_.path(),
      {"context", "set", "dev", "--address=" + address_, "--namespace=dev"},
      {home});
  EXPECT_EQ(set.Wait(), 0) << set.err();
  for (const char* flag : {"--timeout=9s", "--namespace=prod"}) {
    VigilProcess get(dir_.path(), {"job", "get", "j", "--context=dev", flag},
                     {home});
    EXPECT_EQ(get.Wait(), 0) << get.err();
  }
  EXPECT_THAT(asked, ElementsAre("dev", "prod"));
}

TEST_F(CommandTest, MisuseIsToldBeforeAnybodyIsAsked) {
  const std::pair<const char*, const char*> kCases[] = {
      {"job gte j", "job has no `gte`; did you mean `get`?"},
      {"jobs list", "did you mean `job`?"},
      {"job --namespace=dev list", "flags stand behind the verb"},
      {"job get", "JOB_ID is missing (see `vigil job get --help`)"},
      {"job get a b", "`b` is not wanted here"},
      {"job list --sates=running", "did you mean --states?"},
      {"job get j -o nmae", "nmae"},
      {"worker sweep w -o name", "name"},
  };
  for (const auto& [words, told] : kCases) {
    VigilProcess vigil = Start(absl::StrSplit(words, ' '));
    EXPECT_EQ(vigil.Wait(), 125) << words;
    EXPECT_THAT(vigil.err(), HasSubstr(told)) << words;
    EXPECT_EQ(vigil.out(), "") << words;
  }
}

TEST_F(CommandTest, HelpIsThereForNounsAndCommandsByEitherForm) {
  for (const char* words : {"job", "job get", "worker drain", "status"}) {
    VigilProcess help =
        Start(absl::StrSplit(absl::StrCat(words, " --help"), ' '));
    EXPECT_EQ(help.Wait(), 0);
    EXPECT_THAT(help.out(), StartsWith(absl::StrCat("usage: vigil ", words)));
    VigilProcess same =
        Start(absl::StrSplit(absl::StrCat("help ", words), ' '));
    EXPECT_EQ(same.Wait(), 0);
    EXPECT_EQ(same.out(), help.out());
  }
  VigilProcess noun = Start({"job"});
  EXPECT_EQ(noun.Wait(), 125);
  EXPECT_THAT(noun.out(), HasSubstr("\n  submit-many "));
}

TEST_F(CommandTest, ANounAndAVerbOfOneNameAreToldApart) {
  VigilProcess generated = Start({"batch", "get", "--help"});
  EXPECT_EQ(generated.Wait(), 0);
  EXPECT_THAT(generated.out(), StartsWith("usage: vigil batch get BATCH_ID"));
  VigilProcess written = Start({"batch", "--help"});
  EXPECT_EQ(written.Wait(), 0);
  EXPECT_THAT(written.out(),
              AllOf(StartsWith("usage: vigil batch [flags]"),
                    HasSubstr("Also `vigil batch VERB`"),
                    HasSubstr("\n  add-items "), Not(HasSubstr("BATCH_ID"))));
}

TEST_F(CommandTest, TheListOfVerbsHasNounsToo) {
  VigilProcess vigil = Start({"--help"});
  EXPECT_EQ(vigil.Wait(), 0);
  EXPECT_THAT(vigil.out(),
              AllOf(HasSubstr("\n  run "), HasSubstr("\n  worker "),
                    HasSubstr("\n  status ")));
}

}  // namespace
}  // namespace vigil::cli
