// CoordinatorWorld: a coordinator without gRPC, whose workers and clients are
// the steps of a script. It holds the coordinator to what must be true whatever
// workers say, and ends the process when it is not. The engine, the store and
// the conversion of messages are the real ones; the world is the loop.
// Thread-compatible; owns the engine and the directory of its store.
#ifndef VIGIL_TESTS_FUZZ_COORDINATOR_WORLD_H_
#define VIGIL_TESTS_FUZZ_COORDINATOR_WORLD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/codec/spec_resolver.h"
#include "coordinator/engine/engine.h"
#include "coordinator/rpc/worker_messages.h"
#include "tests/fuzz/worker_script.pb.h"

namespace vigil::fuzz {

class CoordinatorWorld {
 public:
  CoordinatorWorld();
  CoordinatorWorld(const CoordinatorWorld&) = delete;
  CoordinatorWorld& operator=(const CoordinatorWorld&) = delete;
  ~CoordinatorWorld();

  // Lets it happen, and what follows from it, and looks whether all is well.
  void Apply(Step step);
  // All workers fall silent for hours: nothing may be left of them. Then the
  // coordinator starts once more from what it stored.
  void End();

 private:
  class Stream;
  class JobCheck;

  void Open();
  void Close();
  void Turn(const std::function<void()>& events = [] {});
  // Turns until the store has answered everything.
  void Settle();
  void AwaitPosted();
  void RunPosted();

  void Take(const Say& say);
  void Submit(const v1::JobSpec& spec);
  void StartBatch(const Batch& batch);
  void Call(const WorkerId& id);
  // Puts ids where a message of a script has the numbers of jobs.
  void NameJobs(google::protobuf::Message* message) const;
  // Watches jobs that are new.
  void FindJobs();
  void AddJob(const JobId& id);
  void Check();
  // The jobs that `worker` does not run, by their place in jobs_.
  std::vector<size_t> JobsOfOthers(const WorkerId& worker) const;
  // What is known of these jobs, and of all workers but `worker`.
  std::string Snapshot(const std::vector<size_t>& jobs,
                       const WorkerId& worker) const;

  std::string directory_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  const coordinator::SpecResolver resolver_;
  const coordinator::LocalAttach local_;
  std::unique_ptr<coordinator::Engine> engine_;
  std::map<int, std::unique_ptr<Stream>> streams_;
  // In the order in which they came.
  std::vector<std::unique_ptr<JobCheck>> jobs_;
  std::set<JobId> known_;
  std::set<WorkerId> workers_;
};

}  // namespace vigil::fuzz

#endif  // VIGIL_TESTS_FUZZ_COORDINATOR_WORLD_H_
