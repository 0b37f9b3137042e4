// Watches jobs with thousands of streams, some of which take nothing until they
// are told to.
//
// Usage: watchers ADDRESS FILE
// Each line of FILE is `JOB_ID KIND READS COUNT`: COUNT streams of WatchJob;
// KIND is `live`, `lossless` (take_over) or `silent` (skip_output); READS is
// `reads` or `stuck`, which takes the first event and then nothing until a line
// arrives on stdin.
//
// Prints `open N` when all N streams have had their first event or have ended,
// and when all have ended one line for each line of FILE: how many ended well,
// were cancelled and failed otherwise, the bytes of output, of gaps and of
// results, and how many times output was not where the last had ended.
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "vigil/v1/job_service.grpc.pb.h"

namespace {

// Streams that share a connection: few enough that none is a bottleneck.
constexpr int kStreamsPerChannel = 500;

// What a stream takes that nobody reads: the least that HTTP/2 begins with.
constexpr int kWindowBytes = 65'535;

[[noreturn]] void Die(const std::string& what) {
  fprintf(stderr, "watchers: %s\n", what.c_str());
  exit(1);
}

// What became of the streams of one line.
struct Tally {
  int64_t ended = 0;
  int64_t cancelled = 0;
  int64_t failed = 0;
  int64_t output_bytes = 0;
  int64_t gap_bytes = 0;
  int64_t result_bytes = 0;
  int64_t torn = 0;
  std::string error;
};

class Watchers;

class Stream {
 public:
  Stream(Watchers* all, Tally* tally, bool stuck)
      : all_(all), tally_(tally), stuck_(stuck) {}

  void Start(vigil::v1::JobService::Stub* stub,
             const vigil::v1::WatchJobRequest& request,
             grpc::CompletionQueue* queue) {
    reader_ = stub->AsyncWatchJob(&context_, request, queue, this);
  }
  void Proceed(bool ok);
  void Release();

 private:
  void Take(const vigil::v1::WatchEvent& event);
  void Read() { reader_->Read(&response_, this); }

  enum class State { kStarting, kReading, kHeld, kFinishing };

  Watchers* const all_;
  Tally* const tally_;
  bool stuck_;
  bool opened_ = false;
  State state_ = State::kStarting;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<vigil::v1::WatchJobResponse>> reader_;
  vigil::v1::WatchJobResponse response_;
  grpc::Status status_;
  // Where the next output of each attempt and stream begins.
  std::map<std::pair<int, int>, int64_t> next_;
};

class Watchers {
 public:
  void Run(const std::string& address, const std::string& path);
  void Opened() {
    if (++opened_ < static_cast<int64_t>(streams_.size())) return;
    printf("open %zu\n", streams_.size());
    fflush(stdout);
  }
  void Ended() { ++ended_; }

 private:
  void Open(const std::string& address, const std::string& path);

  grpc::CompletionQueue queue_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<vigil::v1::JobService::Stub>> stubs_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Tally>> tallies_;
  int64_t opened_ = 0;
  int64_t ended_ = 0;
};

void Stream::Take(const vigil::v1::WatchEvent& event) {
  if (event.has_output()) {
    const vigil::v1::Output& output = event.output();
    int64_t& next = next_[{output.attempt(), output.stream()}];
    if (next != output.offset()) ++tally_->torn;
    next = output.offset() + static_cast<int64_t>(output.data().size());
    tally_->output_bytes += static_cast<int64_t>(output.data().size());
  } else if (event.has_gap()) {
    const vigil::v1::OutputGap& gap = event.gap();
    int64_t& next = next_[{gap.attempt(), gap.stream()}];
    if (next != gap.offset()) ++tally_->torn;
    next = gap.offset() + gap.size_bytes();
    tally_->gap_bytes += gap.size_bytes();
  } else if (event.has_job()) {
    tally_->result_bytes += static_cast<int64_t>(event.job().result().size());
  }
}

void Stream::Proceed(bool ok) {
  switch (state_) {
    case State::kStarting:
      state_ = State::kReading;
      Read();
      return;
    case State::kReading:
      if (!opened_) {
        opened_ = true;
        all_->Opened();
      }
      if (ok) Take(response_.event());
      if (!ok) {
        state_ = State::kFinishing;
        reader_->Finish(&status_, this);
      } else if (stuck_) {
        state_ = State::kHeld;
      } else {
        Read();
      }
      return;
    case State::kHeld:
      Die("an event that was not asked for");
    case State::kFinishing:
      if (status_.ok()) {
        ++tally_->ended;
      } else if (status_.error_code() == grpc::StatusCode::CANCELLED) {
        ++tally_->cancelled;
      } else {
        ++tally_->failed;
        tally_->error = status_.error_message();
      }
      all_->Ended();
  }
}

void Stream::Release() {
  stuck_ = false;
  if (state_ != State::kHeld) return;
  state_ = State::kReading;
  Read();
}

void Watchers::Open(const std::string& address, const std::string& path) {
  std::ifstream file(path);
  std::string job_id, kind, reads;
  int count = 0;
  std::vector<std::pair<vigil::v1::WatchJobRequest, Stream*>> starts;
  while (file >> job_id >> kind >> reads >> count) {
    vigil::v1::WatchJobRequest request;
    request.set_job_id(job_id);
    request.set_take_over(kind == "lossless");
    request.set_skip_output(kind == "silent");
    tallies_.push_back(std::make_unique<Tally>());
    for (int i = 0; i < count; ++i) {
      streams_.push_back(std::make_unique<Stream>(this, tallies_.back().get(),
                                                  reads == "stuck"));
      starts.emplace_back(request, streams_.back().get());
    }
  }
  for (size_t i = 0; i < starts.size(); ++i) {
    if (i % kStreamsPerChannel == 0) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      // A window that grows with the bandwidth takes megabytes off the
      // coordinator for a stream that nobody reads.
      arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
      arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
      channels_.push_back(grpc::CreateCustomChannel(
          address, grpc::InsecureChannelCredentials(), arguments));
      stubs_.push_back(vigil::v1::JobService::NewStub(channels_.back()));
    }
    starts[i].second->Start(stubs_.back().get(), starts[i].first, &queue_);
  }
}

void Watchers::Run(const std::string& address, const std::string& path) {
  Open(address, path);
  grpc::Alarm released;
  std::thread([this, &released] {
    getchar();
    released.Set(&queue_, gpr_inf_past(GPR_CLOCK_REALTIME), nullptr);
  }).detach();
  void* tag = nullptr;
  bool ok = false;
  while (ended_ < static_cast<int64_t>(streams_.size()) &&
         queue_.Next(&tag, &ok)) {
    if (tag != nullptr) {
      static_cast<Stream*>(tag)->Proceed(ok);
      continue;
    }
    for (const auto& stream : streams_) stream->Release();
  }
  for (const auto& tally : tallies_) {
    printf("%ld %ld %ld %ld %ld %ld %ld %s\n", tally->ended, tally->cancelled,
           tally->failed, tally->output_bytes, tally->gap_bytes,
           tally->result_bytes, tally->torn, tally->error.c_str());
  }
  fflush(stdout);
  // Its thread may still wait for a line.
  _Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) Die("usage: watchers ADDRESS FILE");
  Watchers().Run(argv[1], argv[2]);
}
