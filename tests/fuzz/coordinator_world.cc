#include "tests/fuzz/coordinator_world.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "coordinator/codec/batch_resolver.h"
#include "coordinator/codec/job_codec.h"
#include "coordinator/rpc/worker_view.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::fuzz {
namespace {

using coordinator::Engine;
using coordinator::Job;
using coordinator::JobState;
using coordinator::WorkerRecord;

// Streams and jobs of one script, so that its numbers mean something.
constexpr int kStreamsMax = 4;
constexpr size_t kJobsMax = 16;
constexpr int kItemsMax = 16;
// The secret of the worker that counts as the coordinator's own.
constexpr char kLocalToken[] = "local";

// Whatever is shown to clients must have a form in JSON: it has none with
// durations and times out of protobuf's range.
void CheckShowable(const google::protobuf::Message& message) {
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json);
  VIGIL_CHECK(status.ok(), absl::StrCat(status.ToString(), "\n",
                                        message.ShortDebugString()));
}

}  // namespace

// One stream, as the worker and the coordinator see it.
class CoordinatorWorld::Stream : public coordinator::WorkerLink {
 public:
  Stream(const coordinator::LocalAttach* local, Engine* engine)
      : messages(local, engine, this) {}

  void Deliver(v1::AttachResponse message) override {
    CheckShowable(message);
    if (message.has_attached()) attached = true;
  }
  // OK: the worker has left.
  void Close(absl::Status) override { closed = true; }
  int64_t backlog_bytes() const override { return 0; }
  // What is said on it has no effect.
  bool fenced() const { return closed || refused; }

  coordinator::WorkerMessages messages;
  // As it named itself in its first message.
  WorkerId worker;
  bool said_anything = false;
  bool attached = false;
  bool closed = false;
  bool refused = false;
};

// What is shown of one job never goes back.
class CoordinatorWorld::JobCheck : public coordinator::Watcher {
 public:
  JobCheck(Engine* engine, const JobId& id) : id(id) { Watch(engine); }

  void Watch(Engine* engine) { engine->hub().Add(id, this); }
  void Unwatch(Engine* engine) { engine->hub().Remove(id, this); }

  void OnJob(const std::shared_ptr<const v1::Job>& job, int64_t) override {
    CheckShowable(*job);
    VIGIL_CHECK(job->job_id() == id.value(), job->ShortDebugString());
    VIGIL_CHECK(job->revision() >= revision_, job->ShortDebugString());
    revision_ = job->revision();
    const auto state = static_cast<JobState>(job->state());
    VIGIL_CHECK(!IsFinal(state_) || state == state_, job->ShortDebugString());
    state_ = state;
  }
  void OnOutput(const std::shared_ptr<const v1::Output>& output) override {
    ++outputs;
    VIGIL_CHECK(output->attempt() >= attempt_, output->ShortDebugString());
    if (output->attempt() > attempt_) ends_[1] = ends_[2] = 0;
    attempt_ = output->attempt();
    VIGIL_CHECK(output->stream() >= 1 && output->stream() <= 2,
                output->ShortDebugString());
    int64_t& end = ends_[output->stream()];
    VIGIL_CHECK(output->offset() >= end, output->ShortDebugString());
    const auto size = static_cast<int64_t>(output->data().size());
    VIGIL_CHECK(
        output->offset() <= std::numeric_limits<int64_t>::max() / 2 - size,
        output->ShortDebugString());
    end = output->offset() + size;
  }
  void ForgetOutput(const v1::Output&) override {}
  void OnNotice(const Failure&) override {}
  int64_t HeldBytes(int, int64_t) const override { return 0; }

  const JobId id;
  int outputs = 0;

 private:
  int64_t revision_ = 0;
  JobState state_ = JobState::kUnspecified;
  int attempt_ = 0;
  int64_t ends_[3] = {};
};

CoordinatorWorld::CoordinatorWorld()
    : resolver_(coordinator::ServerDefaults()),
      local_{.token = kLocalToken, .on_attach = nullptr} {
  const char* parent = getenv("TEST_TMPDIR");
  directory_ =
      absl::StrCat(parent != nullptr ? parent : "/tmp", "/vigil-fuzz-XXXXXX");
  VIGIL_CHECK(mkdtemp(directory_.data()) != nullptr, directory_);
  Open();
}

CoordinatorWorld::~CoordinatorWorld() {
  Close();
  std::filesystem::remove_all(directory_);
}

void CoordinatorWorld::Open() {
  coordinator::EngineOptions options;
  options.database_path = directory_ + "/jobs.db";
  auto engine = Engine::Open(options, [this](std::function<void()> closure) {
    absl::MutexLock lock(&mutex_);
    posted_.push_back(std::move(closure));
  });
  VIGIL_CHECK(engine.ok(), engine.status().ToString());
  engine_ = *std::move(engine);
  for (const auto& job : jobs_) job->Watch(engine_.get());
  Check();
}

void CoordinatorWorld::Close() {
  streams_.clear();
  for (const auto& job : jobs_) job->Unwatch(engine_.get());
  engine_.reset();
  absl::MutexLock lock(&mutex_);
  posted_.clear();
}

void CoordinatorWorld::Turn(const std::function<void()>& events) {
  engine_->BeginTurn(engine_->clock().Now());
  events();
  RunPosted();
  engine_->EndTurn();
}

void CoordinatorWorld::Settle() {
  // Reads are answered in turn: when ours is, those before it are. Items that
  // were read may have something written, and the other way round.
  const int rounds = engine_->core().batches().empty() ? 1 : 3;
  for (int round = 0; round < rounds; ++round) {
    bool read = false;
    bool durable = false;
    Turn([&] {
      VIGIL_CHECK(
          engine_->Read([](store::StoreView&) {}, [&read] { read = true; }),
          "there is room for a read");
      engine_->WhenDurable([&durable] { durable = true; });
    });
    while (!read || !durable) {
      AwaitPosted();
      Turn();
    }
  }
}

void CoordinatorWorld::AwaitPosted() {
  absl::MutexLock lock(&mutex_);
  const auto some = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !posted_.empty();
  };
  VIGIL_CHECK(
      mutex_.AwaitWithTimeout(absl::Condition(&some), absl::Seconds(60)),
      "the store does not answer");
}

void CoordinatorWorld::RunPosted() {
  std::deque<std::function<void()>> posted;
  {
    absl::MutexLock lock(&mutex_);
    posted.swap(posted_);
  }
  for (const auto& closure : posted) closure();
}

void CoordinatorWorld::Apply(Step step) {
  coordinator::Core& core = engine_->core();
  switch (step.event_case()) {
    case Step::kSay:
      NameJobs(step.mutable_say());
      Take(step.say());
      break;
    case Step::kHangUp:
      streams_.erase(step.hang_up());
      break;
    case Step::kSubmit:
      Submit(step.submit());
      break;
    case Step::kBatch:
      StartBatch(step.batch());
      break;
    case Step::kCancel: {
      const auto index = static_cast<size_t>(step.cancel());
      if (index >= jobs_.size()) return;
      Turn([&] {
        core.Cancel(jobs_[index]->id, engine_->now(), engine_->fx());
      });
      break;
    }
    case Step::kDead:
      Turn([&] {
        core.WorkerDead(SessionId(step.dead()), engine_->now(), engine_->fx());
      });
      break;
    case Step::kDrain:
      Turn([&] {
        const WorkerId id(step.drain());
        // Its own worker, say, gets no more work instead.
        if (!core.Drain(id, std::nullopt, engine_->fx()).ok()) core.Pause(id);
      });
      break;
    case Step::kResume:
      core.Resume(WorkerId(step.resume()));
      break;
    case Step::kCall:
      Call(WorkerId(step.call()));
      break;
    case Step::kRestart:
      Close();
      Open();
      break;
    case Step::EVENT_NOT_SET:
      break;
  }
  Settle();
  FindJobs();
  Check();
}

void CoordinatorWorld::Take(const Say& say) {
  if (say.stream() < 0 || say.stream() >= kStreamsMax) return;
  std::unique_ptr<Stream>& stream = streams_[say.stream()];
  if (stream == nullptr) {
    stream = std::make_unique<Stream>(&local_, engine_.get());
  }
  if (!stream->said_anything) {
    stream->worker = WorkerId(say.message().attach().worker_id());
    stream->said_anything = true;
    workers_.insert(stream->worker);
  }
  // Nobody changes what is another's, and who is fenced changes nothing.
  const WorkerId worker = stream->fenced() ? WorkerId() : stream->worker;
  Turn([&] {
    const std::vector<size_t> others = JobsOfOthers(worker);
    const std::string before = Snapshot(others, worker);
    const absl::Status status = stream->messages.Take(say.message());
    VIGIL_CHECK(status.ok() || !status.message().empty(), "says why");
    VIGIL_CHECK(stream->attached || !status.ok(), "attached is answered");
    stream->refused = !status.ok();
    VIGIL_CHECK(Snapshot(others, worker) == before,
                absl::StrCat("'", worker.value(), "' changed what is not its"));
    engine_->core().CheckInvariants();
  });
}

void CoordinatorWorld::Submit(const v1::JobSpec& spec) {
  if (jobs_.size() >= kJobsMax) return;
  const v1::TaskType* type = engine_->FindTaskType(spec.task_type());
  absl::StatusOr<v1::JobSpec> resolved = resolver_.Resolve(spec, type);
  if (!resolved.ok()) return;
  Turn([&] {
    coordinator::Submission submission;
    submission.namespace_ = "default";
    submission.spec = *std::move(resolved);
    const absl::StatusOr<const Job*> job =
        engine_->Submit(std::move(submission));
    VIGIL_CHECK(job.ok(), job.status().ToString());
    AddJob((*job)->id);
  });
}

void CoordinatorWorld::StartBatch(const Batch& batch) {
  if (batch.items_size() > kItemsMax) return;
  const v1::TaskType* type =
      engine_->FindTaskType(batch.spec().job().task_type());
  absl::StatusOr<v1::BatchSpec> resolved =
      coordinator::ResolveBatch(batch.spec(), type, resolver_);
  if (!resolved.ok()) return;
  Turn([&] {
    coordinator::BatchSubmission submission;
    submission.namespace_ = "default";
    submission.spec = *std::move(resolved);
    const absl::StatusOr<const coordinator::Batch*> created =
        engine_->CreateBatch(std::move(submission));
    VIGIL_CHECK(created.ok(), created.status().ToString());
    const BatchId id = (*created)->id;
    const absl::Status status = engine_->AddItems(id, batch.items());
    VIGIL_CHECK(status.ok(), status.ToString());
    engine_->core().CloseBatch(id, engine_->now(), engine_->fx());
  });
}

void CoordinatorWorld::Call(const WorkerId& id) {
  const WorkerRecord* worker = engine_->core().FindWorker(id);
  if (worker == nullptr || !worker->connected()) return;
  Turn([&] {
    absl::Status status =
        engine_->ClearCache(worker->stream, "t", [](const absl::Status&) {});
    VIGIL_CHECK(status.ok(), status.ToString());
    status = engine_->Sweep(worker->stream, Engine::SweepMode::kLookOnly,
                            [](const absl::StatusOr<v1::SweepResult>& swept) {
                              if (swept.ok()) CheckShowable(*swept);
                            });
    VIGIL_CHECK(status.ok(), status.ToString());
  });
}

void CoordinatorWorld::NameJobs(google::protobuf::Message* message) const {
  if (auto* id = dynamic_cast<v1::AttemptId*>(message)) {
    size_t index = 0;
    if (absl::SimpleAtoi(id->job_id(), &index) && index < jobs_.size()) {
      id->set_job_id(jobs_[index]->id.value());
    }
    return;
  }
  const google::protobuf::Reflection* reflection = message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr) continue;
    if (!field->is_repeated()) {
      NameJobs(reflection->MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      NameJobs(reflection->MutableRepeatedMessage(message, field, i));
    }
  }
}

void CoordinatorWorld::FindJobs() {
  for (const auto& [id, batch] : engine_->core().batches()) {
    for (const auto& [index, job] : batch->live) AddJob(job);
  }
}

void CoordinatorWorld::AddJob(const JobId& id) {
  if (jobs_.size() >= kJobsMax || !known_.insert(id).second) return;
  jobs_.push_back(std::make_unique<JobCheck>(engine_.get(), id));
}

void CoordinatorWorld::Check() {
  engine_->core().CheckInvariants();
  for (const WorkerRecord* worker : engine_->core().Workers()) {
    CheckShowable(coordinator::ToProto(*worker, engine_->now()));
  }
  for (const auto& check : jobs_) {
    const Job* job = engine_->core().FindJob(check->id);
    if (job == nullptr) continue;
    CheckShowable(
        coordinator::ToProto(*job, engine_->core().WaitingReasonOf(*job)));
    if (job->start_time != absl::InfinitePast()) {
      VIGIL_CHECK(job->start_time >= job->create_time,
                  "started before it was submitted");
    }
  }
  CheckShowable(engine_->recorder().Report(engine_->now()));
}

std::vector<size_t> CoordinatorWorld::JobsOfOthers(
    const WorkerId& worker) const {
  std::vector<size_t> others;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const Job* job = engine_->core().FindJob(jobs_[i]->id);
    if (job == nullptr || job->state != JobState::kRunning ||
        job->current().worker != worker) {
      others.push_back(i);
    }
  }
  return others;
}

std::string CoordinatorWorld::Snapshot(const std::vector<size_t>& jobs,
                                       const WorkerId& worker) const {
  std::string text;
  const coordinator::Core& core = engine_->core();
  for (const size_t index : jobs) {
    const JobCheck& check = *jobs_[index];
    absl::StrAppend(&text, check.outputs, " outputs ");
    const Job* job = core.FindJob(check.id);
    if (job == nullptr) continue;
    absl::StrAppend(&text, coordinator::EncodeRow(*job).value, "\n");
  }
  for (const WorkerRecord* record : core.Workers()) {
    if (record->hello.worker == worker) continue;
    absl::StrAppend(
        &text,
        coordinator::ToProto(*record, engine_->now()).SerializeAsString(),
        "\n");
  }
  return text;
}

void CoordinatorWorld::End() {
  streams_.clear();
  coordinator::Core& core = engine_->core();
  // Beyond every lease; then beyond what is done about a local worker; then
  // beyond the time for which lost workers are kept.
  for (const int hours : {1, 2, 4}) {
    Turn([&] {
      core.Tick(engine_->now() + absl::Hours(hours), engine_->fx());
      core.CheckInvariants();
    });
    for (const WorkerId& id : workers_) {
      const WorkerRecord* worker = core.FindWorker(id);
      VIGIL_CHECK(worker == nullptr || worker->hello.worker == id, id.value());
    }
  }
  VIGIL_CHECK(core.live_in(JobState::kRunning) == 0, "runs on no worker");
  VIGIL_CHECK(core.Workers().empty(), "a lost worker stays");
  Settle();
  Close();
  Open();
  Settle();
  Check();
}

}  // namespace vigil::fuzz
