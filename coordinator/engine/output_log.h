// OutputLog: the output of one running attempt on its way from the worker to
// the store and to those who watch: drops what came before (a worker repeats
// what was not acknowledged), keeps head and tail, and knows how much may be
// acknowledged. Loop thread only.
#ifndef VIGIL_COORDINATOR_ENGINE_OUTPUT_LOG_H_
#define VIGIL_COORDINATOR_ENGINE_OUTPUT_LOG_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/attempt.h"
#include "coordinator/store/rows.h"
#include "vigil/v1/output.pb.h"

namespace vigil::coordinator {

class OutputLog {
 public:
  explicit OutputLog(const AttemptId& attempt) : attempt_(attempt) {}

  // Takes back what the store holds of the attempt, in order.
  void Restore(const store::OutputIndexRow& row);

  // Removes from the front of `output` what was received before. False when
  // nothing is left, or its offset is none that an output can have.
  bool Accept(v1::Output* output);

  // Adds accepted output to the rows to be stored; may extend the last row of
  // `rows`, and name rows to drop in `trims`.
  void Store(const v1::Output& output, std::vector<store::OutputRow>* rows,
             std::vector<store::OutputTrim>* trims);

  // All that was stored so far is in the batch that is being handed over...
  void Handed() { handed_bytes_ = received_bytes_; }
  // ...and that batch is durable.
  void Committed() { durable_bytes_ = handed_bytes_; }

  // Bytes of both streams, as OutputAck counts them.
  int64_t received_bytes() const { return received_bytes_; }
  int64_t durable_bytes() const { return durable_bytes_; }
  int64_t acknowledged_bytes = 0;

 private:
  struct KeptRow {
    int64_t seq;
    int64_t size_bytes;
  };
  void Count(int64_t seq, int64_t size_bytes);

  const AttemptId attempt_;
  // Received bytes of stdout and stderr, by Output::Stream.
  int64_t offsets_[3] = {};
  int64_t received_bytes_ = 0;
  int64_t handed_bytes_ = 0;
  int64_t durable_bytes_ = 0;
  int64_t rows_ = 0;
  int64_t head_bytes_ = 0;
  int64_t tail_bytes_ = 0;
  std::deque<KeptRow> tail_;
};

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_ENGINE_OUTPUT_LOG_H_
