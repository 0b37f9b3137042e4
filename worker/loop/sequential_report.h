// SequentialReport: reads what a task's Python processes report of pools that
// they ran in sequence: lines that sitecustomize.py appends to a file, which
// survives whatever a task does with its descriptors. Blocks only for that
// file; thread-compatible. Owns the position up to which it was read.
#ifndef VIGIL_WORKER_LOOP_SEQUENTIAL_REPORT_H_
#define VIGIL_WORKER_LOOP_SEQUENTIAL_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/attempt.h"

namespace vigil::worker {

class SequentialReport {
 public:
  // An empty `path` reports nothing.
  explicit SequentialReport(std::string path = "") : path_(std::move(path)) {}

  // What was reported since the last call, added up by program and call, at
  // most kReportBytesMax of it. What is no report is passed over.
  std::vector<NestedCall> ReadNew();

 private:
  std::string path_;
  int64_t offset_ = 0;
};

}  // namespace vigil::worker

#endif  // VIGIL_WORKER_LOOP_SEQUENTIAL_REPORT_H_
