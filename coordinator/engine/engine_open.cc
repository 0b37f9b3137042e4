// Starting: what the store holds becomes the core's state.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coordinator/codec/deterministic.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/engine/engine.h"
#include "coordinator/store/store_restore.h"

namespace vigil::coordinator {
namespace {

// Keys of the store's facts about the coordinator itself.
constexpr char kEpochKey[] = "epoch";
constexpr char kLeaseKey[] = "lease_ms";
constexpr char kTimeKey[] = "time_ms";
constexpr char kHistoryKey[] = "history";
constexpr char kTaskTypePrefix[] = "task_type/";

struct Facts {
  int64_t epoch = 0;
  absl::Duration lease;
  absl::Time time = absl::InfinitePast();
  std::string history;
  // The store is as a backup remembers it.
  bool restored = false;
  std::map<std::string, v1::TaskType> task_types;
};

absl::StatusOr<Facts> LoadFacts(store::StoreView* view) {
  Facts facts;
  absl::Status damaged;
  const absl::Status status =
      view->LoadMeta([&](absl::string_view key, absl::string_view value) {
        int64_t number = 0;
        if (absl::ConsumePrefix(&key, kTaskTypePrefix)) {
          if (!facts.task_types[std::string(key)].ParseFromString(
                  std::string(value))) {
            damaged = absl::DataLossError(
                absl::StrCat("task type ", key, " is damaged in the store"));
          }
        } else if (key == kHistoryKey) {
          facts.history = std::string(value);
        } else if (key == store::kRestoredKey) {
          facts.restored = true;
        } else if (absl::SimpleAtoi(value, &number)) {
          if (key == kEpochKey) facts.epoch = number;
          if (key == kLeaseKey) facts.lease = absl::Milliseconds(number);
          if (key == kTimeKey) facts.time = absl::FromUnixMillis(number);
        }
      });
  if (!status.ok()) return status;
  if (!damaged.ok()) return damaged;
  return facts;
}

store::MetaRow LeaseFact(absl::Duration lease) {
  return {kLeaseKey, absl::StrCat(absl::ToInt64Milliseconds(lease))};
}

}  // namespace

Engine::Engine(const EngineOptions& options, Post post, absl::Time not_before)
    : options_(options),
      post_(std::move(post)),
      clock_(not_before),
      now_(clock_.Now()),
      start_time_(now_),
      ids_(options.seed),
      recorder_(options.telemetry),
      housekeeping_time_(now_) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(
    const EngineOptions& options, Post post) {
  auto store = store::Store::Open(options.database_path, {});
  if (!store.ok()) return store.status();
  auto facts = LoadFacts(&(*store)->view());
  if (!facts.ok()) return facts.status();

  std::unique_ptr<Engine> engine(
      new Engine(options, std::move(post), facts->time));
  engine->epoch_ = facts->epoch + 1;
  engine->task_types_ = std::move(facts->task_types);
  engine->history_ = facts->history;
  if (facts->history.empty() || facts->restored) {
    engine->history_ = engine->ids_.Next(engine->now_).value();
  }
  const absl::Duration lease = std::max(options.lease, facts->lease);
  // Until then, workers may hold leases of an earlier epoch.
  engine->earlier_leases_end_ = engine->now_ + lease + options.lease_margin;
  const CoreOptions core = {.lease = options.lease,
                            .lease_margin = options.lease_margin,
                            .previous_lease = facts->lease,
                            .dispatch_time = facts->restored
                                                 ? engine->earlier_leases_end_
                                                 : absl::InfinitePast(),
                            .history = engine->history_,
                            .live_jobs_max = options.live_jobs_max,
                            .seed = options.seed};
  if (absl::Status status = engine->Load(&(*store)->view(), core);
      !status.ok()) {
    return status;
  }
  // Nobody could be heard while it was loaded.
  const absl::Duration loading = engine->clock_.Now() - engine->now_;
  engine->core_->GrantStall(loading);
  engine->now_ += loading;
  // Only now: a store that cannot be loaded is left as it was found.
  store::Batch batch;
  batch.meta.push_back({kEpochKey, absl::StrCat(engine->epoch_)});
  batch.meta.push_back({kHistoryKey, engine->history_});
  batch.meta.push_back(LeaseFact(lease));
  batch.meta.push_back(engine->TimeFact());
  if (absl::Status status = (*store)->Commit(batch); !status.ok()) {
    return status;
  }
  auto view = store::StoreView::Open(options.database_path);
  if (!view.ok()) return view.status();

  Engine* self = engine.get();
  engine->reader_ = std::make_unique<store::StoreReader>(*std::move(view));
  engine->writer_ = std::make_unique<store::StoreWriter>(
      *std::move(store),
      store::StoreWriter::Callbacks{
          .on_committed =
              [self](uint64_t number, absl::Status status) {
                self->post_([self, number, status] {
                  self->OnCommitted(number, status);
                });
              },
          .on_stalled =
              [self](absl::Status status) {
                self->post_([self, status] { self->OnStalled(status); });
              },
          .on_deleted =
              [self](std::vector<store::DeletedJob> jobs) {
                self->post_([self, jobs = std::move(jobs)] {
                  for (const store::DeletedJob& job : jobs) {
                    if (job.request_id.empty()) continue;
                    self->request_hashes_.erase(
                        RequestKey(job.namespace_id, job.request_id));
                  }
                });
              },
      },
      store::StoreWriter::Options{});
  return engine;
}

absl::Status Engine::Load(store::StoreView* view, const CoreOptions& options) {
  core_ = std::make_unique<Core>(options);
  absl::Status status = LoadBatches(view);
  if (!status.ok()) return status;
  absl::Status damaged;
  std::vector<AttemptId> running;
  RowDecoder decoder(&policies_);
  status = view->LoadLiveJobs([&](store::JobRow row) {
    auto job = decoder.Decode(row);
    if (!job.ok()) {
      damaged = job.status();
      return;
    }
    if ((*job)->state == JobState::kRunning) {
      running.push_back({(*job)->id, (*job)->last_attempt});
    }
    core_->Restore(*std::move(job), now_);
  });
  if (!status.ok()) return status;
  if (!damaged.ok()) return damaged;
  for (const AttemptId& attempt : running) {
    OutputLog& log = outputs_.try_emplace(attempt, attempt).first->second;
    status = view->LoadOutputIndex(attempt.job_id.value(),
                                   [&](const store::OutputIndexRow& row) {
                                     if (row.attempt == attempt.number)
                                       log.Restore(row);
                                   });
    if (!status.ok()) return status;
  }
  return view->LoadRequests(
      [this](std::string namespace_id, std::string request_id) {
        request_hashes_.insert(RequestKey(namespace_id, request_id));
      });
}

uint64_t Engine::RequestKey(const std::string& namespace_,
                            const std::string& request_id) {
  return StableHash(absl::StrCat(namespace_, "/", request_id));
}

bool Engine::MayKnowRequest(const std::string& namespace_,
                            const std::string& request_id) const {
  return request_hashes_.contains(RequestKey(namespace_, request_id));
}

const v1::TaskType* Engine::FindTaskType(const std::string& name) const {
  const auto it = task_types_.find(name);
  return it == task_types_.end() ? nullptr : &it->second;
}

void Engine::Announce(v1::TaskType type) {
  // How it is run is the worker's affair.
  type.clear_argv();
  type.clear_env();
  type.clear_working_directory();
  type.clear_reason_patterns();
  type.clear_warm_up();
  v1::TaskType& known = task_types_[type.name()];
  if (SerializeDeterministically(known) == SerializeDeterministically(type)) {
    return;
  }
  known = type;
  gathering_.batch.meta.push_back(
      {absl::StrCat(kTaskTypePrefix, type.name()), type.SerializeAsString()});
}

store::MetaRow Engine::TimeFact() const {
  // Not before any instant that is stored with it.
  return {kTimeKey, absl::StrCat(absl::ToUnixMillis(now_) + 1)};
}

void Engine::Housekeeping() {
  if (now_ < housekeeping_time_) return;
  housekeeping_time_ = now_ + kHousekeepingInterval;
  gathering_.batch.meta.push_back(TimeFact());
  if (earlier_leases_end_ <= now_) {
    earlier_leases_end_ = absl::InfiniteFuture();
    gathering_.batch.meta.push_back(LeaseFact(options_.lease));
    gathering_.batch.meta.push_back({store::kRestoredKey, std::nullopt});
  }
  writer_->Retain({now_ - options_.retention, options_.ended_jobs_max});
}

}  // namespace vigil::coordinator
