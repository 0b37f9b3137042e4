// Proves what is offered while a command line is typed, by `vigil __complete`
// and by the script for bash, which bash really runs. A scripted coordinator
// has the ids.
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "client/cli/files.h"
#include "client/cli/vigil_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vigil::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

class CompletionTest : public VigilFixture {
 protected:
  CompletionTest() {
    fake_.on_list = [](const auto& request, auto* response) {
      v1::Job* job = response->add_jobs();
      job->set_job_id(request.filter().states().empty() ? "ended1" : "live1");
      job->set_state(v1::Job::STATE_RUNNING);
      job->mutable_spec()->set_task_type(request.namespace_());
      return grpc::Status::OK;
    };
    fake_.on_list_batches = [](const auto&, auto* response) {
      v1::Batch* batch = response->add_batches();
      batch->set_batch_id("batch1");
      batch->set_state(v1::Batch::STATE_OPEN);
      return grpc::Status::OK;
    };
    fake_.on_status = [](auto* response) {
      response->add_workers()->set_worker_id("worker1");
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> Variables() const {
    return {"VIGIL_ADDRESS=" + address_, "HOME=" + dir_.path()};
  }

  // The lines that a shell is given for the last of these words.
  std::vector<std::string> Lines(std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    VigilProcess vigil(dir_.path(), std::move(words), Variables());
    EXPECT_EQ(vigil.Wait(), 0);
    EXPECT_EQ(vigil.err(), "");
    return absl::StrSplit(vigil.out(), '\n', absl::SkipEmpty());
  }

  // The same without what they are.
  std::vector<std::string> Candidates(std::vector<std::string> words) {
    std::vector<std::string> candidates;
    for (const std::string& line : Lines(std::move(words))) {
      candidates.push_back(line.substr(0, line.find('\t')));
    }
    return candidates;
  }

  // What bash offers behind this line, which it has split into these words.
  std::vector<std::string> Bash(const std::string& line,
                                const std::vector<std::string>& words) {
    std::string array;
    for (const std::string& word : words) {
      absl::StrAppend(&array, "'", word, "' ");
    }
    const std::string script = absl::StrCat(
        "PATH=$PWD/client/cli:/usr/bin:/bin\n. <(vigil completion bash)\n",
        "COMP_LINE='", line, "' COMP_POINT=", line.size(), " COMP_WORDS=(",
        array, ") COMP_CWORD=", words.size() - 1,
        "\n_vigil 2>/dev/null\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const std::string file = dir_.path() + "/script";
    EXPECT_TRUE(WriteFile(file, script).ok());
    const std::string command =
        absl::StrCat(absl::StrJoin(Variables(), " "), " bash ", file, " > ",
                     dir_.path(), "/shown");
    EXPECT_EQ(system(command.c_str()), 0);
    return absl::StrSplit(ReadTail(dir_.path() + "/shown", 1 << 20), '\n',
                          absl::SkipEmpty());
  }
};

TEST_F(CompletionTest, OffersVerbsAndNouns) {
  EXPECT_THAT(Candidates({""}),
              IsSupersetOf({"run", "batch", "top", "watch", "job", "worker",
                            "status", "help"}));
  EXPECT_THAT(Candidates({"ex"}), ElementsAre("explain"));
  EXPECT_THAT(Lines({"wat"}),
              ElementsAre("watch\tfollow a job or a batch to its end"));
  EXPECT_THAT(Candidates({"help", "exp"}), ElementsAre("explain"));
  EXPECT_THAT(Candidates({"nonsense", ""}), IsEmpty());
}

TEST_F(CompletionTest, OffersEachFirstWordOnce) {
  EXPECT_THAT(Candidates({"bat"}), ElementsAre("batch"));
  EXPECT_THAT(Candidates({"help", "bat"}), ElementsAre("batch"));
}

TEST_F(CompletionTest, OffersVerbsOfNounsBehindHelp) {
  EXPECT_THAT(Candidates({"help", "job", "subm"}),
              ElementsAre("submit", "submit-many"));
  EXPECT_THAT(Candidates({"help", "run", ""}), IsEmpty());
}

TEST_F(CompletionTest, OffersWhatGeneratedCommandsTake) {
  fake_.Start(address_);
  EXPECT_THAT(Candidates({"job", "get", "--from_file", ""}),
              ElementsAre(":files"));
  EXPECT_THAT(Candidates({"job", "submit", "--input=@"}),
              ElementsAre(":files"));
  EXPECT_THAT(Candidates({"job", "submit", ""}), ElementsAre(":programs"));
  EXPECT_THAT(Candidates({"job", "submit", "cat", ""}), ElementsAre(":files"));
  EXPECT_THAT(Candidates({"job", "get", "--namespace", "n", ""}),
              ElementsAre("ended1"));
  EXPECT_THAT(Candidates({"job", "get", "--namespace", ""}), IsEmpty());
}

TEST_F(CompletionTest, OffersVerbsOfNounsAlsoWhereANounIsAVerbToo) {
  EXPECT_THAT(Candidates({"job", ""}), IsSupersetOf({"get", "list", "cancel"}));
  EXPECT_THAT(Candidates({"batch", ""}), IsSupersetOf({":programs", "list"}));
  EXPECT_THAT(Candidates({"batch", "list", "--lim"}), ElementsAre("--limit="));
  EXPECT_THAT(Candidates({"batch", "--seq"}), ElementsAre("--sequential"));
}

TEST_F(CompletionTest, OffersFlagsAsTheyAreTyped) {
  EXPECT_THAT(Candidates({"run", "--inact"}), ElementsAre("--inactivity="));
  EXPECT_THAT(Candidates({"run", "--max_p"}), ElementsAre("--max_processes="));
  EXPECT_THAT(Candidates({"run", "--max-p"}), ElementsAre("--max-processes="));
  EXPECT_THAT(Candidates({"top", "--on"}), ElementsAre("--once"));
  EXPECT_THAT(Candidates({"run", "prog", "--inact"}), ElementsAre(":files"));
}

TEST_F(CompletionTest, OffersValuesOfFlags) {
  EXPECT_THAT(Candidates({"watch", "--from="}),
              ElementsAre("--from=start", "--from=now"));
  EXPECT_THAT(Candidates({"watch", "-o", "json"}),
              ElementsAre("json", "jsonl"));
  EXPECT_THAT(Candidates({"batch", "--resume="}), ElementsAre(":files"));
  EXPECT_THAT(Candidates({"batch", "--output_dir", ""}),
              ElementsAre(":directories"));
  EXPECT_THAT(Candidates({"run", "--inactivity="}), IsEmpty());
}

TEST_F(CompletionTest, OffersProgramsThenFiles) {
  EXPECT_THAT(Candidates({"run", ""}), ElementsAre(":programs"));
  EXPECT_THAT(Candidates({"run", "--", "cat", ""}), ElementsAre(":files"));
}

TEST_F(CompletionTest, OffersIdsThatTheCoordinatorKnows) {
  fake_.Start(address_);
  EXPECT_THAT(Lines({"watch", ""}),
              ElementsAre(StartsWith("live1\tRUNNING command of "),
                          StartsWith("batch1\tOPEN batch of 0 items")));
  EXPECT_THAT(Candidates({"explain", ""}), ElementsAre("ended1"));
  EXPECT_THAT(Candidates({"job", "cancel", "l"}), ElementsAre("live1"));
  EXPECT_THAT(Candidates({"job", "get", ""}), ElementsAre("ended1"));
  EXPECT_THAT(Candidates({"batch", "get", ""}), ElementsAre("batch1"));
  EXPECT_THAT(Candidates({"worker", "drain", ""}), ElementsAre("worker1"));
  EXPECT_THAT(Candidates({"explain", "j", ""}), IsEmpty());
  // Where the line says to look.
  EXPECT_THAT(Lines({"explain", "--namespace=n", ""}),
              ElementsAre(HasSubstr("RUNNING n of ")));
}

TEST_F(CompletionTest, WithoutACoordinatorItIsSilentAndSoonDone) {
  const absl::Time start = absl::Now();
  EXPECT_THAT(Candidates({"watch", ""}), IsEmpty());
  EXPECT_THAT(Candidates({"explain", "--address=nonsense", ""}), IsEmpty());
  // One that takes connections and does not answer.
  fake_.on_status = [](auto*) {
    absl::SleepFor(absl::Seconds(2));
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  EXPECT_THAT(Candidates({"worker", "drain", ""}), IsEmpty());
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST_F(CompletionTest, OffersContexts) {
  VigilProcess set(dir_.path(), {"context", "set", "prod", "--address=a:1"},
                   Variables());
  EXPECT_EQ(set.Wait(), 0);
  EXPECT_THAT(Candidates({"context", ""}),
              ElementsAre("list", "show", "use", "set", "delete"));
  EXPECT_THAT(Lines({"context", "use", ""}), ElementsAre("prod\ta:1"));
  EXPECT_THAT(Candidates({"context", "list", ""}), IsEmpty());
  EXPECT_THAT(Candidates({"top", "--context="}), ElementsAre("--context=prod"));
  EXPECT_THAT(Candidates({"job", "list", "--context="}),
              ElementsAre("--context=prod"));
  EXPECT_THAT(Candidates({"job", "get", "--context", ""}), ElementsAre("prod"));
}

TEST_F(CompletionTest, BashReplacesTheWordThatIsTyped) {
  EXPECT_THAT(Bash("vigil exp", {"vigil", "exp"}), ElementsAre("explain"));
  EXPECT_THAT(Bash("vigil run --inact", {"vigil", "run", "--inact"}),
              ElementsAre("--inactivity="));
  // Bash splits at = and replaces what is behind it.
  EXPECT_THAT(
      Bash("vigil watch --from=n", {"vigil", "watch", "--from", "=", "n"}),
      ElementsAre("now"));
  EXPECT_THAT(Bash("vigil watch --from=", {"vigil", "watch", "--from", "="}),
              ElementsAre("start", "now"));
  EXPECT_THAT(Bash("vigil watch -o jsonl --from now --fr",
                   {"vigil", "watch", "-o", "jsonl", "--from", "now", "--fr"}),
              ElementsAre("--from="));
}

TEST_F(CompletionTest, BashKeepsWordsTogetherThatItSplits) {
  fake_.Start(address_);
  const std::string path = address_.substr(5);
  EXPECT_THAT(
      Bash(absl::StrCat("vigil explain  --address=unix:", path, " e"),
           {"vigil", "explain", "--address", "=", "unix", ":", path, "e"}),
      ElementsAre("ended1"));
}

TEST_F(CompletionTest, BashOffersFilesAndPrograms) {
  EXPECT_THAT(Bash("vigil run bas", {"vigil", "run", "bas"}),
              IsSupersetOf({"bash", "basename"}));
  EXPECT_THAT(Bash("vigil batch --resume=/etc/host",
                   {"vigil", "batch", "--resume", "=", "/etc/host"}),
              Contains("/etc/hosts"));
}

TEST_F(CompletionTest, BashKeepsBlanksInNames) {
  const std::string file = dir_.path() + "/two words";
  ASSERT_TRUE(WriteFile(file, "").ok());
  const std::string typed = dir_.path() + "/two";
  EXPECT_THAT(Bash("vigil run cat " + typed, {"vigil", "run", "cat", typed}),
              ElementsAre(file));
  EXPECT_THAT(Bash("vigil job submit --input=@" + typed,
                   {"vigil", "job", "submit", "--input", "=@", typed}),
              ElementsAre(file));
  ASSERT_EQ(mkdir((dir_.path() + "/a directory").c_str(), 0700), 0);
  EXPECT_THAT(Bash("vigil batch --output_dir=" + dir_.path() + "/a",
                   {"vigil", "batch", "--output_dir", "=", dir_.path() + "/a"}),
              ElementsAre(dir_.path() + "/a directory"));
}

TEST_F(CompletionTest, EveryShellHasAScriptAndOthersAreTold) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    VigilProcess vigil = Start({"completion", shell});
    EXPECT_EQ(vigil.Wait(), 0);
    EXPECT_THAT(vigil.out(), HasSubstr(absl::StrCat(
                                 "Made by `vigil completion ", shell, "`")));
    EXPECT_THAT(vigil.out(), HasSubstr("__complete"));
  }
  VigilProcess other = Start({"completion", "zhs"});
  EXPECT_EQ(other.Wait(), 125);
  EXPECT_THAT(other.err(), HasSubstr("did you mean zsh?"));
  EXPECT_EQ(Start({"completion"}).Wait(), 125);
}

TEST_F(CompletionTest, SendsNoControlCodesOfOthers) {
  fake_.on_list = [](const auto&, auto* response) {
    v1::Job* job = response->add_jobs();
    job->set_job_id("a\033[2J");
    job->mutable_spec()->set_task_type("t\nu");
    return grpc::Status::OK;
  };
  fake_.Start(address_);
  EXPECT_THAT(Lines({"explain", ""}),
              ElementsAre(AllOf(StartsWith("a\\x1b[2J\t"), HasSubstr("t\\nu"),
                                Not(HasSubstr("\033")))));
}

}  // namespace
}  // namespace vigil::cli
