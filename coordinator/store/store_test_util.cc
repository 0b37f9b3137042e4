#include "coordinator/store/store_test_util.h"

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"
#include "base/check.h"
#include "gtest/gtest.h"

namespace vigil::store {

TempStore::TempStore() : directory_(testing::TempDir() + "/store-XXXXXX") {
  VIGIL_CHECK(mkdtemp(directory_.data()) != nullptr, directory_);
}

TempStore::~TempStore() { std::filesystem::remove_all(directory_); }

std::unique_ptr<Store> TempStore::Open(const Store::Options& options) const {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(path(), options);
  VIGIL_CHECK(store.ok(), store.status().ToString());
  return *std::move(store);
}

void TempStore::ExecuteForeign(const std::string& sql) const {
  sqlite3* db = nullptr;
  VIGIL_CHECK(sqlite3_open(path().c_str(), &db) == SQLITE_OK, path());
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  VIGIL_CHECK(code == SQLITE_OK, sqlite3_errmsg(db));
  sqlite3_close(db);
}

absl::Time TestTime(int seconds) {
  return absl::FromUnixSeconds(1'700'000'000 + seconds);
}

JobRow LiveJob(const std::string& job_id) {
  JobRow job;
  job.job_id = job_id;
  job.namespace_id = "default";
  job.state = 1;
  job.value = "live " + job_id;
  return job;
}

JobRow EndedJob(const std::string& job_id, absl::Time end_time) {
  JobRow job = LiveJob(job_id);
  job.state = 7;
  job.end_time = end_time;
  job.value = "ended " + job_id;
  return job;
}

Batch JobBatch(std::vector<JobRow> jobs) {
  Batch batch;
  batch.jobs = std::move(jobs);
  return batch;
}

std::vector<std::string> LiveJobIds(StoreView& view) {
  std::vector<std::string> ids;
  const absl::Status status =
      view.LoadLiveJobs([&](JobRow job) { ids.push_back(job.job_id); });
  VIGIL_CHECK(status.ok(), status.ToString());
  return ids;
}

}  // namespace vigil::store
