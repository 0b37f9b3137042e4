#include "coordinator/store/store_test_util.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "gtest/gtest.h"

namespace vigil::store {
namespace {

// A column of the current row.
std::string DumpColumn(sqlite3_stmt* row, int index) {
  if (sqlite3_column_type(row, index) == SQLITE_NULL) return "null";
  const void* data = sqlite3_column_blob(row, index);
  const std::string_view bytes(
      static_cast<const char*>(data),
      static_cast<size_t>(sqlite3_column_bytes(row, index)));
  if (bytes.size() <= 64) {
    return absl::StrCat("'", absl::CHexEscape({bytes.data(), bytes.size()}),
                        "'");
  }
  return absl::StrCat(bytes.size(), " bytes #",
                      absl::Hex(std::hash<std::string_view>()(bytes)));
}

absl::Status DumpTable(sqlite3* db, const std::string& table,
                       std::vector<std::string>& lines) {
  sqlite3_stmt* rows = nullptr;
  const std::string sql = absl::StrCat("SELECT * FROM ", table);
  int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &rows, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(rows);
    if (code != SQLITE_ROW) break;
    std::string line = table;
    for (int i = 0; i < sqlite3_column_count(rows); ++i) {
      absl::StrAppend(&line, " ", DumpColumn(rows, i));
    }
    lines.push_back(std::move(line));
  }
  sqlite3_finalize(rows);
  if (code == SQLITE_DONE) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(sql, ": ", sqlite3_errmsg(db)));
}

void ExecuteOn(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  VIGIL_CHECK(sqlite3_open(path.c_str(), &db) == SQLITE_OK, path);
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  VIGIL_CHECK(code == SQLITE_OK, sqlite3_errmsg(db));
  sqlite3_close(db);
}

}  // namespace

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
  ExecuteOn(path(), sql);
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

void WriteStoreOfSchema1(const std::string& path) {
  std::ifstream file("coordinator/store/testdata/schema1.sql");
  const std::string sql(std::istreambuf_iterator<char>(file), {});
  VIGIL_CHECK(!sql.empty(), "no schema1.sql");
  ExecuteOn(path, sql);
}

absl::StatusOr<std::string> DumpTables(const std::string& path) {
  sqlite3* db = nullptr;
  VIGIL_CHECK(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY,
                              nullptr) == SQLITE_OK,
              path);
  std::vector<std::string> lines;
  absl::Status status;
  for (const char* table :
       {"job", "payload", "result", "output", "meta", "batch", "batch_item"}) {
    status.Update(DumpTable(db, table, lines));
  }
  sqlite3_close(db);
  if (!status.ok()) return status;
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

}  // namespace vigil::store
