// Prints how fast the store commits in groups, in the mode Vigil uses it
// (write-ahead log, synchronous=FULL, a reader at work beside it): three
// changes per job, submitted with a payload, running, ended with a result. Then
// what a backup costs the commits beside it, and starts and retention.
//
//   store_benchmark DIRECTORY [SECONDS_PER_ROW]
//
// The directory must exist; the files made there are removed at the end.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "coordinator/store/limits.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_backup.h"
#include "coordinator/store/store_reader.h"
#include "coordinator/store/store_view.h"

namespace vigil::store {
namespace {

constexpr size_t kValueBytes = 600;
constexpr size_t kPayloadBytes = 200;

template <typename T>
T OrExit(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

// Job `number` after its `change`: 0 submitted, 1 running, 2 ended.
void AddChange(int64_t number, int change, Batch& batch) {
  JobRow job;
  job.job_id = absl::StrFormat("j%020d", number);
  job.namespace_id = "default";
  job.request_id = absl::StrFormat("r%d", number * 7919);
  job.state = change;
  job.value = std::string(kValueBytes, 'v');
  if (change == 0) {
    batch.payloads.push_back({job.job_id, std::string(kPayloadBytes, 'p')});
  } else if (change == 2) {
    job.end_time = absl::Now();
    batch.results.push_back({job.job_id, std::string(kPayloadBytes, 'r')});
    batch.output.push_back(
        {job.job_id, 1, 1, 1, 0, std::string(kPayloadBytes, 'o')});
  }
  batch.jobs.push_back(std::move(job));
}

class Benchmark {
 public:
  explicit Benchmark(const std::string& path)
      : path_(path),
        store_(OrExit(Store::Open(path, Store::Options()))),
        reader_(std::make_unique<StoreReader>(OrExit(StoreView::Open(path)))) {
    read_again_ = [this](StoreView& view) {
      StoreView::ListQuery query;
      query.namespace_id = "default";
      query.rows_max = 100;
      OrExit(view.ListJobs(query, [](JobRow) { return Visit::kContinue; }));
      ++reads_;
      if (!stop_ && !reader_->Run(read_again_)) std::exit(1);
    };
    if (!reader_->Run(read_again_)) std::exit(1);
  }

  ~Benchmark() {
    stop_ = true;
    reader_.reset();
  }

  // Commits batches in which every job of a generation of `jobs` changes once,
  // for so long.
  void Measure(int jobs, absl::Duration duration) {
    MeasureWhile(jobs,
                 [&](absl::Duration elapsed) { return elapsed < duration; });
  }

  // Commits while a backup to `target` is made.
  void MeasureBackup(int jobs, const std::string& target) {
    const absl::Time start = absl::Now();
    std::atomic<bool> done = false;
    std::thread backup([&] {
      const CopyReport report = OrExit(BackupStore(path_, target));
      absl::PrintF("backup of %d jobs, %d MiB: %.1f s, and meanwhile\n",
                   report.jobs, report.bytes >> 20,
                   absl::ToDoubleSeconds(absl::Now() - start));
      done = true;
    });
    MeasureWhile(jobs, [&](absl::Duration) { return !done; });
    backup.join();
  }

  // Commits as Measure, while `goes_on` holds of the time passed.
  void MeasureWhile(int jobs, absl::FunctionRef<bool(absl::Duration)> goes_on) {
    std::vector<absl::Duration> commits;
    const int64_t reads_before = reads_;
    uintmax_t wal_bytes_max = 0;
    const absl::Time start = absl::Now();
    absl::Time now = start;
    while (goes_on(now - start)) {
      for (int change = 0; change < 3; ++change) {
        Batch batch;
        for (int i = 0; i < jobs; ++i) {
          AddChange(next_job_ + i, change, batch);
        }
        const absl::Time before = absl::Now();
        if (absl::Status s = store_->Commit(batch); !s.ok()) {
          std::fprintf(stderr, "%s\n", s.ToString().c_str());
          std::exit(1);
        }
        now = absl::Now();
        commits.push_back(now - before);
      }
      next_job_ += jobs;
      wal_bytes_max =
          std::max(wal_bytes_max, std::filesystem::file_size(path_ + "-wal"));
    }
    std::sort(commits.begin(), commits.end());
    const double seconds = absl::ToDoubleSeconds(now - start);
    absl::PrintF(
        "%5d per commit: %8.0f jobs/s  commit p50 %6.2f ms  p99 %6.2f ms  max "
        "%6.2f ms  log %3d MiB  %6.0f lists/s\n",
        jobs, static_cast<double>(commits.size()) / 3 * jobs / seconds,
        absl::ToDoubleMilliseconds(commits[commits.size() / 2]),
        absl::ToDoubleMilliseconds(commits[commits.size() * 99 / 100]),
        absl::ToDoubleMilliseconds(commits.back()), wal_bytes_max >> 20,
        static_cast<double>(reads_ - reads_before) / seconds);
  }

  // How long the start of a coordinator and the start of retention take.
  void MeasureLoads() {
    StoreView& view = store_->view();
    absl::Time start = absl::Now();
    int64_t requests = 0;
    if (!view.LoadRequests([&](std::string, std::string) { ++requests; })
             .ok()) {
      std::exit(1);
    }
    absl::PrintF("load %d request ids: %.0f ms\n", requests,
                 absl::ToDoubleMilliseconds(absl::Now() - start));
    start = absl::Now();
    OrExit(view.RetentionCutoff(requests - 1));
    absl::PrintF("retention cutoff at %d jobs: %.1f ms\n", requests,
                 absl::ToDoubleMilliseconds(absl::Now() - start));
    start = absl::Now();
    int64_t deleted = 0;
    int steps = 0;
    absl::Duration longest;
    while (absl::Now() - start < absl::Seconds(2)) {
      const absl::Time before = absl::Now();
      deleted += OrExit(store_->DeleteEnded(absl::Now(), kRetentionRowsMax))
                     .jobs.size();
      longest = std::max(longest, absl::Now() - before);
      ++steps;
    }
    absl::PrintF("retention: %.0f jobs/s, %.2f ms per step, longest %.1f ms\n",
                 static_cast<double>(deleted) /
                     absl::ToDoubleSeconds(absl::Now() - start),
                 absl::ToDoubleMilliseconds(absl::Now() - start) / steps,
                 absl::ToDoubleMilliseconds(longest));
  }

 private:
  const std::string path_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  std::function<void(StoreView&)> read_again_;
  std::atomic<int64_t> reads_ = 0;
  std::atomic<bool> stop_ = false;
  int64_t next_job_ = 0;
};

int Main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: store_benchmark DIRECTORY [SECONDS]\n");
    return 2;
  }
  const double seconds = argc == 3 ? std::atof(argv[2]) : 5;
  const std::string path = std::string(argv[1]) + "/store_benchmark.db";
  const std::string backup = path + ".backup";
  {
    Benchmark benchmark(path);
    for (const int jobs : {1, 16, 64, 256, 1024}) {
      benchmark.Measure(jobs, absl::Seconds(seconds));
    }
    benchmark.MeasureBackup(64, backup);
    benchmark.MeasureLoads();
  }
  std::filesystem::remove(path);
  std::filesystem::remove(backup);
  return 0;
}

}  // namespace
}  // namespace vigil::store

int main(int argc, char** argv) { return vigil::store::Main(argc, argv); }
