// Proves that output repeated by a worker is recognised, that head and tail
// are kept and the middle is dropped, and that a restored log goes on where the
// store ends.
#include "coordinator/engine/output_log.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "coordinator/engine/limits.h"
#include "gtest/gtest.h"

namespace vigil::coordinator {
namespace {

v1::Output Piece(v1::Output::Stream stream, int64_t offset,
                 const std::string& data) {
  v1::Output output;
  output.set_attempt(1);
  output.set_stream(stream);
  output.set_offset(offset);
  output.set_data(data);
  return output;
}

TEST(OutputLogTest, RepeatedOutputIsDroppedAndOverlapIsCut) {
  OutputLog log({JobId("j"), 1});
  v1::Output first = Piece(v1::Output::STREAM_STDOUT, 0, "hello");
  EXPECT_TRUE(log.Accept(&first));
  v1::Output same = Piece(v1::Output::STREAM_STDOUT, 0, "hello");
  EXPECT_FALSE(log.Accept(&same));
  v1::Output overlap = Piece(v1::Output::STREAM_STDOUT, 3, "lo world");
  ASSERT_TRUE(log.Accept(&overlap));
  EXPECT_EQ(overlap.data(), " world");
  EXPECT_EQ(overlap.offset(), 5);
  v1::Output other = Piece(v1::Output::STREAM_STDERR, 0, "hello");
  EXPECT_TRUE(log.Accept(&other));
  EXPECT_EQ(log.received_bytes(), 16);
}

TEST(OutputLogTest, OffsetsThatNoOutputHasAreRefused) {
  OutputLog log({JobId("j"), 1});
  for (const int64_t offset :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, kOutputOffsetMax - 1,
        std::numeric_limits<int64_t>::max()}) {
    v1::Output output = Piece(v1::Output::STREAM_STDOUT, offset, "ab");
    EXPECT_FALSE(log.Accept(&output)) << offset;
  }
  EXPECT_EQ(log.received_bytes(), 0);
  v1::Output last =
      Piece(v1::Output::STREAM_STDOUT, kOutputOffsetMax - 2, "ab");
  EXPECT_TRUE(log.Accept(&last));
  v1::Output other =
      Piece(v1::Output::STREAM_STDERR, kOutputOffsetMax - 2, "ab");
  EXPECT_TRUE(log.Accept(&other));
  EXPECT_EQ(log.received_bytes(), 2 * kOutputOffsetMax);
}

TEST(OutputLogTest, OnlyWhatWasCommittedIsDurable) {
  OutputLog log({JobId("j"), 1});
  v1::Output first = Piece(v1::Output::STREAM_STDOUT, 0, "abc");
  log.Accept(&first);
  log.Handed();
  v1::Output second = Piece(v1::Output::STREAM_STDOUT, 3, "def");
  log.Accept(&second);
  EXPECT_EQ(log.durable_bytes(), 0);
  log.Committed();
  EXPECT_EQ(log.durable_bytes(), 3);
}

TEST(OutputLogTest, AdjacentPiecesShareARow) {
  OutputLog log({JobId("j"), 1});
  std::vector<store::OutputRow> rows;
  std::vector<store::OutputTrim> trims;
  log.Store(Piece(v1::Output::STREAM_STDOUT, 0, "ab"), &rows, &trims);
  log.Store(Piece(v1::Output::STREAM_STDOUT, 2, "cd"), &rows, &trims);
  log.Store(Piece(v1::Output::STREAM_STDERR, 0, "x"), &rows, &trims);
  log.Store(Piece(v1::Output::STREAM_STDOUT, 4, "ef"), &rows, &trims);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].data, "abcd");
  EXPECT_LT(rows[0].seq, rows[1].seq);
  EXPECT_EQ(rows[2].offset, 4);
}

TEST(OutputLogTest, KeepsHeadAndTailAndDropsTheMiddleOnce) {
  OutputLog log({JobId("j"), 1});
  std::map<int64_t, int64_t> kept;  // seq to offset
  const std::string piece(kOutputRowBytesMax, 'x');
  int64_t offset = 0;
  for (int i = 0; i < 400; ++i) {
    std::vector<store::OutputRow> rows;
    std::vector<store::OutputTrim> trims;
    log.Store(Piece(v1::Output::STREAM_STDOUT, offset, piece), &rows, &trims);
    offset += kOutputRowBytesMax;
    for (const store::OutputRow& row : rows) {
      ASSERT_TRUE(kept.emplace(row.seq, row.offset).second);
    }
    for (const store::OutputTrim& trim : trims) {
      for (int64_t seq = trim.seq_from; seq <= trim.seq_to; ++seq) {
        ASSERT_EQ(kept.erase(seq), 1u);
      }
    }
  }
  const int64_t rows_kept =
      (kOutputHeadBytesMax + kOutputTailBytesMax) / kOutputRowBytesMax;
  EXPECT_EQ(static_cast<int64_t>(kept.size()), rows_kept);
  EXPECT_EQ(kept.begin()->second, 0);
  EXPECT_EQ(kept.rbegin()->second, offset - kOutputRowBytesMax);
}

TEST(OutputLogTest, RestoredLogGoesOnBehindTheStore) {
  OutputLog before({JobId("j"), 2});
  std::vector<store::OutputRow> rows;
  std::vector<store::OutputTrim> trims;
  before.Store(Piece(v1::Output::STREAM_STDOUT, 0, "abc"), &rows, &trims);
  OutputLog after({JobId("j"), 2});
  after.Restore({2, rows[0].seq, rows[0].stream, 0, 3});
  EXPECT_EQ(after.durable_bytes(), 3);
  v1::Output repeated = Piece(v1::Output::STREAM_STDOUT, 0, "abc");
  EXPECT_FALSE(after.Accept(&repeated));
  std::vector<store::OutputRow> more;
  after.Store(Piece(v1::Output::STREAM_STDOUT, 3, "def"), &more, &trims);
  EXPECT_GT(more[0].seq, rows[0].seq);
}

}  // namespace
}  // namespace vigil::coordinator
