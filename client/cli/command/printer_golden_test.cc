// Proves what a person, and a program, reads of the real messages of the API:
// files in testdata hold the messages (*.textproto) and what is printed of them
// (*.txt), stdout and stderr in one.
#include <string>
#include <vector>

#include "client/cli/command/column.h"
#include "client/cli/command/printer.h"
#include "client/cli/command/printer_fixture.h"
#include "client/cli/command/shape.h"
#include "gtest/gtest.h"
#include "vigil/v1/batch_service.pb.h"
#include "vigil/v1/job_service.pb.h"
#include "vigil/v1/status_service.pb.h"
#include "vigil/v1/worker_service.pb.h"

namespace vigil::cli {
namespace {

// Of a terminal with colours.
Printer::Options TerminalOptions(OutputFormat format, int columns) {
  Printer::Options options = PlainOptions(format);
  options.style = Style(Style::Colour::kAnsi);
  options.columns = columns;
  return options;
}

// Narrow, but of no colours.
Printer::Options NarrowOptions(OutputFormat format, int columns) {
  Printer::Options options = PlainOptions(format);
  options.columns = columns;
  return options;
}

class Jobs : public ::testing::Test {
 protected:
  const std::vector<v1::ListJobsResponse> pages_ =
      ReadMessages<v1::ListJobsResponse>("job_list.textproto");
  const std::vector<v1::WatchJobResponse> events_ =
      ReadMessages<v1::WatchJobResponse>("job_watch.textproto");
};

TEST_F(Jobs, OfTwoPagesAreOneTable) {
  ExpectGolden("job_list.txt",
               PrintedPages(pages_, PlainOptions(OutputFormat::kTable)));
}

TEST_F(Jobs, AreShownWithAllColumnsIfWide) {
  ExpectGolden("job_list_wide.txt",
               PrintedPages(pages_, PlainOptions(OutputFormat::kWide)));
}

TEST_F(Jobs, AreCutToATerminal) {
  ExpectGolden("job_list_100.txt",
               PrintedPages(pages_, NarrowOptions(OutputFormat::kTable, 100)));
  ExpectGolden("job_list_50.txt",
               PrintedPages(pages_, NarrowOptions(OutputFormat::kTable, 50)));
}

TEST_F(Jobs, AreColouredByTheirState) {
  ExpectGolden(
      "job_list_colour.txt",
      PrintedPages(pages_, TerminalOptions(OutputFormat::kTable, 100)));
}

TEST_F(Jobs, OfTwoPagesAreOneJsonDocument) {
  ExpectGolden("job_list_json.txt",
               PrintedPages(pages_, PlainOptions(OutputFormat::kJson)));
}

TEST_F(Jobs, AreALineOfJsonEach) {
  ExpectGolden("job_list_jsonl.txt",
               PrintedPages(pages_, PlainOptions(OutputFormat::kJsonl)));
}

TEST_F(Jobs, AreATextEach) {
  ExpectGolden("job_list_textproto.txt",
               PrintedPages(pages_, PlainOptions(OutputFormat::kTextproto)));
}

TEST_F(Jobs, AreTheirIdsAlone) {
  EXPECT_EQ(PrintedPages(pages_, PlainOptions(OutputFormat::kName)),
            "0c2f7a91b3d24e58\n1d5e20c4f7a8491b\n2e00000000000000\n3f\n40\n");
}

TEST_F(Jobs, WriteTheirOutputToStdoutAndTheRestToStderr) {
  ExpectGolden("job_watch.txt",
               PrintedEvents(events_, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("job_watch_terminal.txt",
               PrintedEvents(events_, NarrowOptions(OutputFormat::kTable, 80)));
}

TEST_F(Jobs, AreWatchedAsLinesOfJson) {
  const std::string lines =
      PrintedEvents(events_, PlainOptions(OutputFormat::kJsonl));
  ExpectGolden("job_watch_jsonl.txt", lines);
  EXPECT_EQ(PrintedEvents(events_, PlainOptions(OutputFormat::kJson)), lines);
}

TEST(Job, IsShownLineByLineWithItsAttempts) {
  const auto job = ReadMessages<v1::GetJobResponse>("job_get.textproto");
  ExpectGolden("job_get.txt",
               PrintedPages(job, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("job_get_wide.txt",
               PrintedPages(job, PlainOptions(OutputFormat::kWide)));
  ExpectGolden("job_get_colour.txt",
               PrintedPages(job, TerminalOptions(OutputFormat::kTable, 80)));
  ExpectGolden("job_get_json.txt",
               PrintedPages(job, PlainOptions(OutputFormat::kJson)));
}

TEST(Job, SaysThatItExisted) {
  ExpectGolden(
      "job_submit.txt",
      PrintedPages(ReadMessages<v1::SubmitJobResponse>("job_submit.textproto"),
                   PlainOptions(OutputFormat::kTable)));
}

TEST(ManyJobs, AreToldWithTheirRefusals) {
  const auto results =
      ReadMessages<v1::SubmitJobsResponse>("job_submit_many.textproto");
  ExpectGolden("job_submit_many.txt",
               PrintedPages(results, PlainOptions(OutputFormat::kTable)));
  EXPECT_EQ(PrintedPages(results, PlainOptions(OutputFormat::kName)),
            "0c2f7a91b3d24e58\n1d5e20c4f7a8491b\n");
}

TEST(Output, IsWrittenAsItIsAndItsGapsAreTold) {
  const auto pages =
      ReadMessages<v1::ReadOutputResponse>("job_read_output.textproto");
  ExpectGolden("job_read_output.txt",
               PrintedPages(pages, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("job_read_output_json.txt",
               PrintedPages(pages, PlainOptions(OutputFormat::kJson)));
}

TEST(Workers, AreATable) {
  const auto workers =
      ReadMessages<v1::ListWorkersResponse>("worker_list.textproto");
  ExpectGolden("worker_list.txt",
               PrintedPages(workers, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("worker_list_wide.txt",
               PrintedPages(workers, PlainOptions(OutputFormat::kWide)));
  ExpectGolden("worker_list_60.txt",
               PrintedPages(workers, NarrowOptions(OutputFormat::kTable, 60)));
  ExpectGolden(
      "worker_list_colour.txt",
      PrintedPages(workers, TerminalOptions(OutputFormat::kTable, 120)));
}

TEST(Worker, IsShownWithItsSlotsAndTaskTypes) {
  ExpectGolden(
      "worker_get.txt",
      PrintedPages(ReadMessages<v1::GetWorkerResponse>("worker_get.textproto"),
                   PlainOptions(OutputFormat::kTable)));
}

TEST(Worker, IsShownWithWhatASweepFound) {
  ExpectGolden("worker_sweep.txt",
               PrintedPages(ReadMessages<v1::SweepWorkerResponse>(
                                "worker_sweep.textproto"),
                            PlainOptions(OutputFormat::kTable)));
}

TEST(Status, IsShownByItselfWithItsTables) {
  const auto status = ReadMessages<v1::GetStatusResponse>("status.textproto");
  ExpectGolden("status.txt",
               PrintedPages(status, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("status_colour_70.txt",
               PrintedPages(status, TerminalOptions(OutputFormat::kTable, 70)));
}

TEST(Batches, AreATable) {
  const auto batches =
      ReadMessages<v1::ListBatchesResponse>("batch_list.textproto");
  ExpectGolden("batch_list.txt",
               PrintedPages(batches, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("batch_list_wide.txt",
               PrintedPages(batches, PlainOptions(OutputFormat::kWide)));
}

TEST(Batch, IsShownWithItsReasons) {
  v1::GetBatchResponse batch;
  *batch.mutable_batch() =
      ReadMessages<v1::ListBatchesResponse>("batch_list.textproto")[0].batches(
          1);
  ExpectGolden("batch_get.txt",
               PrintedPages(std::vector<v1::GetBatchResponse>{batch},
                            PlainOptions(OutputFormat::kTable)));
}

TEST(Batch, IsWatchedAsATableOfResultsAndTalkOfItself) {
  const auto events =
      ReadMessages<v1::WatchBatchResponse>("batch_watch.textproto");
  ExpectGolden("batch_watch.txt",
               PrintedEvents(events, PlainOptions(OutputFormat::kTable)));
  ExpectGolden("batch_watch_jsonl.txt",
               PrintedEvents(events, PlainOptions(OutputFormat::kJsonl)));
  EXPECT_EQ(PrintedEvents(events, PlainOptions(OutputFormat::kName)),
            "0c2f7a91b3d24e58\n1d5e20c4f7a8491b\n");
}

TEST(NothingAtAll, IsSaidOnStderr) {
  const Printer::Options options = PlainOptions(OutputFormat::kTable);
  EXPECT_EQ(PrintedPages(std::vector<v1::ClearWorkerCacheResponse>(1), options),
            "stderr: done\n");
  EXPECT_EQ(PrintedPages(std::vector<v1::ListBatchesResponse>(1), options),
            "stderr: no batches\n");
  EXPECT_EQ(PrintedPages(std::vector<v1::GetJobResponse>(1), options),
            "stderr: no job\n");
  EXPECT_EQ(PrintedPages(std::vector<v1::ListBatchesResponse>(1),
                         PlainOptions(OutputFormat::kJson)),
            "{\n \"batches\": []\n}\n");
}

// All types of this file and of those that it imports.
void CheckTablesOf(const google::protobuf::FileDescriptor& file) {
  for (int i = 0; i < file.dependency_count(); ++i) {
    CheckTablesOf(*file.dependency(i));
  }
  std::vector<const google::protobuf::Descriptor*> types;
  for (int i = 0; i < file.message_type_count(); ++i) {
    types.push_back(file.message_type(i));
  }
  while (!types.empty()) {
    const google::protobuf::Descriptor& type = *types.back();
    types.pop_back();
    for (int i = 0; i < type.nested_type_count(); ++i) {
      types.push_back(type.nested_type(i));
    }
    Column::Of(type);
    const v1::CliTable& table = TableOf(type);
    if (!table.name().empty()) PathOfOption(type, table.name());
    if (!table.raw().empty()) PathOfOption(type, table.raw());
    for (const std::string& section : table.sections()) {
      EXPECT_TRUE(PathOfOption(type, section).leaf().is_repeated()) << section;
    }
  }
}

// A path that leads nowhere ends the program.
TEST(EveryTable, NamesFieldsThatThereAre) {
  CheckTablesOf(*v1::ListJobsResponse::descriptor()->file());
  CheckTablesOf(*v1::ListBatchesResponse::descriptor()->file());
  CheckTablesOf(*v1::ListWorkersResponse::descriptor()->file());
  CheckTablesOf(*v1::GetStatusResponse::descriptor()->file());
}

}  // namespace
}  // namespace vigil::cli
