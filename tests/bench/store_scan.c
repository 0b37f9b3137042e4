/* Reads every row of the table of jobs as fast as SQLite gives them, copies
 * each and prints how many there were and the seconds it took. No index, no
 * order: what the load of a coordinator's store cannot be faster than.
 *
 * Usage: store_scan DATABASE
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void Die(sqlite3* db) {
  fprintf(stderr, "store_scan: %s\n", sqlite3_errmsg(db));
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const double start = Now();
  sqlite3* db = NULL;
  sqlite3_stmt* scan = NULL;
  if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(db, "SELECT job_id, value FROM job NOT INDEXED", -1,
                         &scan, NULL) != SQLITE_OK) {
    Die(db);
  }
  long rows = 0;
  int result = 0;
  static char copy[1 << 20];
  while ((result = sqlite3_step(scan)) == SQLITE_ROW) {
    for (int column = 0; column < 2; ++column) {
      const void* bytes = sqlite3_column_blob(scan, column);
      const size_t size = (size_t)sqlite3_column_bytes(scan, column);
      memcpy(copy, bytes, size < sizeof(copy) ? size : sizeof(copy));
    }
    ++rows;
  }
  if (result != SQLITE_DONE) Die(db);
  sqlite3_finalize(scan);
  sqlite3_close(db);
  printf("%ld %.6f\n", rows, Now() - start);
  return 0;
}
