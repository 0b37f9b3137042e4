// SqliteStatement: a prepared statement that is bound and run again and again.
// Thread-compatible. Owns the statement, not the connection, which must outlive
// it; text and blobs bound must stay until the run is over.
#ifndef VIGIL_COORDINATOR_STORE_SQLITE_STATEMENT_H_
#define VIGIL_COORDINATOR_STORE_SQLITE_STATEMENT_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coordinator/store/sqlite_db.h"

namespace vigil::store {

// What a visitor wants next.
enum class Visit { kContinue, kStop };

class SqliteStatement {
 public:
  SqliteStatement() = default;

  // Compiles `sql`. Errors as SqliteDb::Error; DATA_LOSS also when the database
  // lacks a table or column.
  absl::Status Prepare(SqliteDb& db, const char* sql);

  // Set parameter `index`, counted from 1, for the next run. A failure shows in
  // that run.
  SqliteStatement& BindText(int index, absl::string_view text);
  SqliteStatement& BindBlob(int index, absl::string_view bytes);
  // Null if there is none.
  SqliteStatement& BindInt(int index, std::optional<int64_t> number);

  // Runs a statement that returns no rows, then forgets what was bound. Errors
  // as SqliteDb::Error.
  absl::Status Run();

  // Runs a query and calls `visitor` at each row, where the Column functions
  // hold; then forgets what was bound. The read transaction lasts as long as
  // this call. Errors as SqliteDb::Error.
  absl::Status ForEachRow(absl::FunctionRef<Visit()> visitor);

  // The current row's column `index`, counted from 0.
  std::string ColumnBytes(int index) const;
  int64_t ColumnInt(int index) const;
  bool ColumnIsNull(int index) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };

  // Remembers the first failure of binding.
  SqliteStatement& Note(int code);
  void Reset();

  SqliteDb* db_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bind_code_ = SQLITE_OK;
};

}  // namespace vigil::store

#endif  // VIGIL_COORDINATOR_STORE_SQLITE_STATEMENT_H_
