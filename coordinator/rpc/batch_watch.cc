#include "coordinator/rpc/batch_watch.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/engine/engine.h"
#include "coordinator/engine/limits.h"
#include "coordinator/rpc/accept.h"
#include "coordinator/rpc/cursors.h"

namespace vigil::coordinator {
namespace {

// How often a batch is shown that is not SEQUENTIAL.
constexpr absl::Duration kBatchInterval = absl::Seconds(1);

bool IsByIndex(v1::ResultOrder order) {
  return order == v1::RESULT_ORDER_BY_INDEX;
}

}  // namespace

absl::Status CheckItems(int items) {
  if (items <= kJobsPerRequestMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("items has ", items, " entries; at most ",
                   kJobsPerRequestMax, " go into one request"));
}

absl::Status TooManyBatchWatchers(Engine* engine,
                                  const std::string& name_space) {
  return engine->Refuse(
      Limit::kBatchWatchers, NamespaceOf(name_space).value_or(""),
      absl::ResourceExhaustedError(absl::StrCat(
          "there are ", kBatchWatchersMax,
          " streams of RunBatch and WatchBatch, which is the most; try again "
          "later")));
}

BatchWatch::BatchWatch(Services* services, Signal* signal,
                       const std::string& batch_id, v1::ResultOrder order,
                       int64_t position)
    : services_(services),
      signal_(signal),
      id_(batch_id),
      order_(order),
      position_(position) {
  services_->engine->batch_hub().Add(id_, this);
}

BatchWatch::~BatchWatch() { services_->engine->batch_hub().Remove(id_, this); }

void BatchWatch::Begin(v1::Batch batch) {
  // What was heard meanwhile is newer.
  if (batch_ != nullptr && batch_->revision() >= batch.revision()) return;
  batch_ = std::make_shared<const v1::Batch>(std::move(batch));
}

void BatchWatch::OnNews(const BatchNews& news) {
  batch_ = news.batch;
  if (!news.results.empty() && !KeepRecent(news)) {
    DropRecent();
    read_ = true;
  }
  signal_->Notify();
}

bool BatchWatch::KeepRecent(const BatchNews& news) {
  if (IsByIndex(order_) || read_) return false;
  if (recent_.empty()) {
    recent_first_ = reading_ ? news.first_end_number : position_ + 1;
  }
  const int64_t next = recent_first_ + static_cast<int64_t>(recent_.size());
  if (news.first_end_number != next) return false;
  for (const auto& result : news.results) {
    if (result == nullptr || recent_bytes_ > kWatcherQueueBytesMax) {
      return false;
    }
    recent_bytes_ += static_cast<int64_t>(result->ByteSizeLong());
    recent_.push_back(result);
  }
  return true;
}

void BatchWatch::DropRecent() {
  recent_.clear();
  recent_bytes_ = 0;
}

int64_t BatchWatch::ResultsInAll() const {
  const v1::BatchCounts& counts = batch_->counts();
  return counts.accepted() - counts.not_run();
}

void BatchWatch::TakeRecent(v1::BatchEvent* event) {
  int64_t bytes = 0;
  while (!recent_.empty() && event->results_size() < kBatchResultsMax &&
         bytes < kBatchEventBytesMax) {
    const int64_t size = static_cast<int64_t>(recent_.front()->ByteSizeLong());
    // Two large ones may not fit into one message.
    if (bytes > 0 && bytes + size > kMessageBytesSoftMax) break;
    bytes += size;
    recent_bytes_ -= size;
    *event->add_results() = *recent_.front();
    recent_.pop_front();
    ++recent_first_;
    ++position_;
  }
}

Task<absl::Status> BatchWatch::ReadPage(v1::BatchEvent* event) {
  // What is heard from here on may not be in the page.
  read_ = false;
  reading_ = true;
  const int64_t position = position_;
  const v1::ResultOrder order = order_;
  const std::string id = id_.value();
  std::vector<v1::BatchResult> results;
  bool more = false;
  absl::Status status;
  StoreRead read(services_->engine, [&](store::StoreView& view) {
    // Rows first: a statement is not run within another's rows.
    std::vector<store::ItemRow> rows;
    const auto take = [&](store::ItemRow row) {
      const auto ahead = static_cast<int64_t>(rows.size());
      const bool next =
          IsByIndex(order)
              ? row.end_number.has_value() && row.index == position + ahead
              : row.end_number == position + ahead + 1;
      if (!next) return store::Visit::kStop;
      if (rows.size() == kBatchResultsMax) {
        more = true;
        return store::Visit::kStop;
      }
      rows.push_back(std::move(row));
      return store::Visit::kContinue;
    };
    status = IsByIndex(order) ? view.ReadItems(id, position, take)
                              : view.ReadItemEnds(id, position, take);
    int64_t bytes = 0;
    for (const store::ItemRow& row : rows) {
      if (!status.ok()) return;
      if (bytes >= kBatchEventBytesMax) {
        more = true;
        return;
      }
      absl::StatusOr<v1::BatchResult> result = Engine::ReadItemEnd(&view, row);
      if (!result.ok()) {
        status = result.status();
        return;
      }
      const int64_t size = static_cast<int64_t>(result->ByteSizeLong());
      if (bytes > 0 && bytes + size > kMessageBytesSoftMax) {
        more = true;
        return;
      }
      bytes += size;
      results.push_back(*std::move(result));
    }
  });
  const bool had_ended = batch_->state() == v1::Batch::STATE_ENDED;
  const bool queued = co_await read;
  reading_ = false;
  if (!queued) co_return TooManyReads(services_->engine);
  if (!status.ok()) co_return status;
  if (had_ended && results.empty() && position_ < ResultsInAll()) {
    co_return absl::NotFoundError(
        absl::StrCat("the retention of batch ", id, " is over: ", position_,
                     " of its ", ResultsInAll(), " results were read"));
  }
  position_ += static_cast<int64_t>(results.size());
  for (v1::BatchResult& result : results) {
    *event->add_results() = std::move(result);
  }
  // What came meanwhile may be in the page, or behind what is to be read next.
  while (!recent_.empty() && recent_first_ <= position_) {
    recent_bytes_ -= static_cast<int64_t>(recent_.front()->ByteSizeLong());
    recent_.pop_front();
    ++recent_first_;
  }
  if (!recent_.empty() && recent_first_ != position_ + 1) {
    DropRecent();
    more = true;
  }
  if (more) read_ = true;
  co_return absl::OkStatus();
}

Task<absl::Status> BatchWatch::Next(v1::BatchEvent* event) {
  if (read_) {
    auto reading = ReadPage(event);
    absl::Status status = co_await reading;
    if (!status.ok()) co_return status;
  } else {
    TakeRecent(event);
  }
  const absl::Time now = services_->engine->now();
  const bool sequential =
      batch_->spec().mode() == v1::BatchSpec::MODE_SEQUENTIAL;
  const bool ended = batch_->state() == v1::Batch::STATE_ENDED;
  done_ = ended && position_ >= ResultsInAll() && event->results().empty();
  const bool due = told_batch_ == nullptr ||
                   told_batch_time_ + kBatchInterval <= now ||
                   batch_->state() != told_batch_->state() ||
                   (sequential && !event->results().empty());
  // Once it has ended, its results come first.
  if (done_ || (!ended && batch_ != told_batch_ && due)) {
    *event->mutable_batch() = *batch_;
    told_batch_ = batch_;
    told_batch_time_ = now;
  }
  const int64_t accepted = batch_->counts().accepted();
  if (event->has_batch() || !event->results().empty() ||
      accepted != told_accepted_) {
    told_accepted_ = accepted;
    event->set_cursor(FormatBatchCursor(id_.value(), order_, position_));
    event->set_accepted(accepted);
  }
  co_return absl::OkStatus();
}

}  // namespace vigil::coordinator
