// Task types: the catalog, read again when it changed, and their caches.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/wire/attempt_wire.h"
#include "worker/loop/worker_loop.h"

namespace vigil::worker {

void WorkerLoop::OfferTypes(const v1::Catalog& catalog) {
  types_.Set(catalog);
  std::vector<OfferedType> offered;
  for (const auto& [name, type] : types_.all()) {
    offered.push_back({type->rules, cache_.IsReady(type->type)});
  }
  core_->SetTypes(std::move(offered), now_, &effects_);
}

void WorkerLoop::ReloadCatalog() {
  if (!options_.reload_catalog) {
    Log(LogSeverity::kWarning, "SIGHUP: there is no catalog to read again");
    return;
  }
  const absl::StatusOr<v1::Catalog> catalog = options_.reload_catalog();
  if (!catalog.ok()) {
    Log(LogSeverity::kError,
        absl::StrCat("the catalog was not read again, and the one in use "
                     "stays: ",
                     catalog.status().message()));
    return;
  }
  OfferTypes(*catalog);
  announce_ = true;
  Log(LogSeverity::kInfo, absl::StrCat("read the catalog again: ",
                                       types_.all().size(), " task types"));
}

void WorkerLoop::ClearCache(const v1::ClearCache& request) {
  const std::string& name = request.task_type();
  if (types_.Find(name) == nullptr) {
    ClearCacheDone(request.number(), absl::NotFoundError(absl::StrCat(
                                         "task type \"", name,
                                         "\" is not in the catalog of "
                                         "this worker")));
    return;
  }
  if (!core_->ClearCache(name, now_, &effects_)) {
    ClearCacheDone(request.number(),
                   absl::FailedPreconditionError(absl::StrCat(
                       "a job of task type \"", name,
                       "\" runs on this "
                       "worker; try again when it is idle, or drain it")));
    return;
  }
  const absl::StatusOr<std::string> path = cache_.Unlink(name);
  if (!path.ok() || path->empty()) {
    ClearCacheDone(request.number(), path.status());
    return;
  }
  auto removed = std::make_shared<absl::Status>();
  background_.Run(
      [path = *path, removed] { *removed = WarmCache::Remove(path); },
      [this, removed, number = request.number(), stream = stream_number_] {
        if (stream == stream_number_) {
          ClearCacheDone(number, *removed);
        }
      });
}

void WorkerLoop::DiscardCache(const std::string& path) {
  if (path.empty()) return;
  background_.Run([this, path] { cache_.Discard(path); }, [] {});
}

void WorkerLoop::ClearCacheDone(int64_t number, const absl::Status& status) {
  v1::ClearCacheDone done;
  done.set_number(number);
  done.set_code(static_cast<int>(status.code()));
  done.set_message(std::string(status.message()));
  cleared_.push_back(std::move(done));
}

bool WorkerLoop::AddTypeNews(v1::AttachRequest* request) {
  bool any = !cleared_.empty() || announce_;
  for (v1::ClearCacheDone& done : cleared_) {
    *request->add_clear_cache_done() = std::move(done);
  }
  cleared_.clear();
  if (announce_) {
    announce_ = false;
    request->mutable_announcement();
    for (const auto& [name, type] : types_.all()) {
      *request->mutable_announcement()->add_task_types() = type->Announced();
    }
  }
  if (told_revision_ == core_->types_revision()) return any;
  told_revision_ = core_->types_revision();
  for (TaskTypeStatus& status : core_->TypeStatuses()) {
    TaskTypeStatus& told = told_statuses_[status.name];
    told.name = status.name;
    if (told == status) continue;
    vigil::ToProto(status, request->add_task_type_statuses());
    told = std::move(status);
    any = true;
  }
  return any;
}

}  // namespace vigil::worker
