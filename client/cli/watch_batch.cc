#include "client/cli/watch_batch.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/wire/time_wire.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/watch_format.h"

namespace vigil::cli {

WatchedBatch::WatchedBatch(const Environment& environment,
                           const Connection& connection,
                           const WatchOptions& options, const v1::Batch& batch)
    : environment_(environment),
      connection_(connection),
      options_(options),
      batch_(batch),
      skip_(options.from == WatchOptions::From::kNow
                ? OutcomesOf(batch.counts())
                : 0),
      summary_(std::set<v1::Failure::Reason>()),
      display_(environment, environment.clock->Now()) {}

int WatchedBatch::Follow(std::unique_ptr<client::Client> client) {
  v1::WatchBatchRequest request;
  request.set_namespace_(batch_.namespace_());
  request.set_batch_id(batch_.batch_id());
  if (options_.in_order) request.set_order(v1::RESULT_ORDER_BY_INDEX);
  client::BatchObserver observer;
  observer.on_event = [this](const v1::BatchEvent& event) {
    environment_.events->Post([this, event] { OnEvent(event); });
  };
  observer.on_retry = [this](const absl::Status& error, absl::Duration) {
    environment_.events->Post([this, error] { OnRetry(error); });
  };
  observer.on_end = [this](absl::StatusOr<v1::Batch> batch) {
    environment_.events->Post(
        [this, batch = std::move(batch)] { end_ = batch; });
  };
  stream_ = client->WatchBatch(std::move(request), std::move(observer));
  while (!end_.has_value()) {
    const absl::Time now = environment_.clock->Now();
    const EventQueue::Wakeup wakeup =
        environment_.events->Wait(writes_events() ? absl::InfiniteDuration()
                                                  : display_.next_time() - now);
    if (wakeup.signal != 0) OnSignal(wakeup.signal);
    if (writes_events()) continue;
    display_.Show(ProgressOf(batch_), environment_.clock->Now());
  }
  display_.Clear();
  client.reset();
  return Finish(*end_);
}

void WatchedBatch::OnEvent(v1::BatchEvent event) {
  if (event.has_batch()) batch_ = event.batch();
  const int skipped =
      static_cast<int>(std::min<int64_t>(skip_, event.results_size()));
  event.mutable_results()->DeleteSubrange(0, skipped);
  skip_ -= skipped;
  if (writes_events()) {
    if (event.has_batch() || !event.results().empty()) {
      Write(ToJson(event, JsonLayout::kOneLine));
    }
    return;
  }
  for (v1::BatchResult& result : *event.mutable_results()) {
    const ItemResult item = ItemOf(std::move(result));
    summary_.Add(item);
    Write(ItemLine(item));
  }
}

void WatchedBatch::Write(const std::string& line) {
  if (!write_error_.ok()) return;
  if (environment_.stdout_is_terminal) display_.Clear();
  write_error_ = WriteUnlessSignalled(STDOUT_FILENO, absl::StrCat(line, "\n"));
  if (!write_error_.ok()) stream_.Abandon();
}

void WatchedBatch::OnRetry(const absl::Status& error) {
  const absl::Time now = environment_.clock->Now();
  if (now - last_note_ < kNoteInterval) return;
  last_note_ = now;
  display_.Write(absl::StrCat("vigil: lost the coordinator: ",
                              OneLine(error.message()), "; trying again\n"));
}

void WatchedBatch::OnSignal(int signal) {
  if (signal_ != 0) _exit(kExitSignal + signal);
  signal_ = signal;
  stream_.Abandon();
}

int WatchedBatch::Finish(const absl::StatusOr<v1::Batch>& batch) {
  if (absl::IsAborted(write_error_)) return kExitSignal + SIGPIPE;
  if (absl::IsCancelled(write_error_) && signal_ != 0) {
    return kExitSignal + signal_;
  }
  if (!write_error_.ok()) {
    display_.Write(absl::StrCat("vigil: the results could not be written: ",
                                write_error_.message(), "\n"));
    return kExitVigil;
  }
  if (!batch.ok()) {
    const std::string& id = batch_.batch_id();
    display_.Write(
        absl::StrCat("vigil: ",
                     signal_ == 0 ? connection_.Explain(batch.status())
                                  : absl::StrCat("stopped watching; batch ", id,
                                                 " goes on, and `vigil watch ",
                                                 id, "` watches it again"),
                     "\n"));
    return signal_ == 0 ? kExitVigil : kExitSignal + signal_;
  }
  const int status = AllSucceeded(*batch) ? 0 : kExitSomeFailed;
  switch (options_.format) {
    case WatchOptions::Format::kJsonLines:
      break;
    case WatchOptions::Format::kJson:
      display_.Write(absl::StrCat(ToJson(*batch, JsonLayout::kOneLine), "\n"));
      break;
    case WatchOptions::Format::kText:
      display_.Write(
          absl::StrCat(summary_.Table(FromProto(batch->end_time()) -
                                      FromProto(batch->create_time())),
                       BatchEnd(*batch)));
      break;
  }
  return status;
}

}  // namespace vigil::cli
