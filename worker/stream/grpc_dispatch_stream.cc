#include "worker/stream/grpc_dispatch_stream.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/unique_fd.h"
#include "vigil/v1/dispatch_service.grpc.pb.h"

namespace vigil::worker {
namespace {

// A dead link is noticed by the heartbeats; pings only find it while nothing
// is attached.
constexpr int kKeepaliveTimeMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

// One connection attempt; behind a firewall that drops packets it would take
// minutes.
constexpr int kConnectTimeoutMs = 5'000;

// One assignment: an input of 3 MiB, a checkpoint of 1 MiB, and the rest of its
// spec.
constexpr int kReceiveBytesMax = 8 << 20;

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Each stream connects anew at once: when to try again is the loop's
  // decision, not that of a channel shared with a stream that was lost.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

absl::Status FromGrpc(const grpc::Status& status) {
  // The numbers are the same.
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

}  // namespace

class GrpcDispatchStream::Thread {
 public:
  Thread(std::string address, UniqueFd event_fd)
      : address_(std::move(address)), event_fd_(std::move(event_fd)) {
    thread_ = std::thread([this] { Run(); });
  }

  ~Thread() {
    {
      absl::MutexLock lock(&mutex_);
      commands_.push_back({0, std::nullopt, std::nullopt, Verb::kQuit});
    }
    Wake();
    thread_.join();
  }

  void Open(v1::AttachRequest request) {
    {
      absl::MutexLock lock(&mutex_);
      DropSends();
      events_.clear();
      commands_.push_back(
          {++generation_, std::move(request), std::nullopt, Verb::kOpen});
    }
    Wake();
  }

  void Send(v1::AttachRequest request) {
    const size_t bytes = request.ByteSizeLong();
    {
      absl::MutexLock lock(&mutex_);
      backlog_bytes_ += bytes;
      commands_.push_back(
          {generation_, std::move(request), bytes, Verb::kSend});
    }
    Wake();
  }

  void Close() {
    {
      absl::MutexLock lock(&mutex_);
      DropSends();
      events_.clear();
      commands_.push_back(
          {++generation_, std::nullopt, std::nullopt, Verb::kClose});
    }
    Wake();
  }

  size_t backlog_bytes() const { return backlog_bytes_; }
  int event_fd() const { return event_fd_.get(); }

  std::vector<StreamEvent> TakeEvents() {
    eventfd_t count;
    eventfd_read(event_fd_.get(), &count);
    absl::MutexLock lock(&mutex_);
    return std::exchange(events_, {});
  }

 private:
  enum class Verb { kOpen, kSend, kClose, kQuit };
  struct Command {
    int64_t generation;
    std::optional<v1::AttachRequest> request;
    // What it adds to the backlog.
    std::optional<size_t> bytes;
    Verb verb;
  };

  enum class Op { kStart, kRead, kWrite, kFinish };
  struct Call;
  struct Tag {
    Call* call;
    Op op;
  };
  // One stream. It lives until each of its operations has come back.
  struct Call {
    explicit Call(int64_t number) : generation(number) {}
    const int64_t generation;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<v1::DispatchService::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<
        grpc::ClientAsyncReaderWriter<v1::AttachRequest, v1::AttachResponse>>
        stream;
    std::deque<Command> queue;
    v1::AttachResponse incoming;
    grpc::Status status;
    bool started = false;
    bool reading = false;
    bool writing = false;
    // No operation but Finish is started any more.
    bool broken = false;
    bool finishing = false;
    Tag start{this, Op::kStart};
    Tag read{this, Op::kRead};
    Tag write{this, Op::kWrite};
    Tag finish{this, Op::kFinish};
  };

  // Wakes the thread; calls before it has woken are one.
  void Wake() {
    if (woken_.exchange(true)) return;
    alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_REALTIME), &alarm_);
  }

  void SignalLoop() { eventfd_write(event_fd_.get(), 1); }

  void DropSends() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::erase_if(commands_, [this](const Command& command) {
      backlog_bytes_ -= command.bytes.value_or(0);
      return command.verb == Verb::kSend;
    });
  }

  void Run() {
    void* tag = nullptr;
    bool ok = false;
    while (!quitting_ || !calls_.empty()) {
      VIGIL_CHECK(queue_.Next(&tag, &ok), "the queue is open");
      if (tag == &alarm_) {
        woken_ = false;
        TakeCommands();
      } else {
        Completed(*static_cast<Tag*>(tag), ok);
      }
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void TakeCommands() {
    std::deque<Command> commands;
    {
      absl::MutexLock lock(&mutex_);
      commands.swap(commands_);
    }
    for (Command& command : commands) {
      switch (command.verb) {
        case Verb::kOpen:
          CancelCurrent();
          Begin(std::move(command));
          break;
        case Verb::kSend:
          if (current_ != nullptr && !current_->broken &&
              current_->generation == command.generation) {
            current_->queue.push_back(std::move(command));
            WriteNext(current_);
          } else {
            Written(command);
          }
          break;
        case Verb::kClose:
          CancelCurrent();
          break;
        case Verb::kQuit:
          CancelCurrent();
          quitting_ = true;
          break;
      }
    }
  }

  void CancelCurrent() {
    if (current_ == nullptr) return;
    current_->context.TryCancel();
    Break(current_);
    current_ = nullptr;
  }

  void Begin(Command command) {
    auto call = std::make_unique<Call>(command.generation);
    call->channel = NewChannel(address_);
    call->stub = v1::DispatchService::NewStub(call->channel);
    call->stream = call->stub->PrepareAsyncAttach(&call->context, &queue_);
    call->queue.push_back(std::move(command));
    current_ = call.get();
    calls_.push_back(std::move(call));
    current_->stream->StartCall(&current_->start);
  }

  void Completed(const Tag& tag, bool ok) {
    Call* call = tag.call;
    switch (tag.op) {
      case Op::kStart:
        call->started = true;
        if (!ok) Break(call);
        Read(call);
        WriteNext(call);
        break;
      case Op::kRead:
        call->reading = false;
        if (ok) {
          Deliver(call, StreamEvent(std::move(call->incoming)));
        } else {
          Break(call);
        }
        Read(call);
        break;
      case Op::kWrite:
        call->writing = false;
        Written(call->queue.front());
        call->queue.pop_front();
        if (!ok) Break(call);
        WriteNext(call);
        break;
      case Op::kFinish:
        Deliver(call, StreamLost{FromGrpc(call->status)});
        Destroy(call);
        return;
    }
    FinishIfQuiet(call);
  }

  void Read(Call* call) {
    if (call->broken) return;
    call->incoming.Clear();
    call->reading = true;
    call->stream->Read(&call->incoming, &call->read);
  }

  void WriteNext(Call* call) {
    if (!call->started || call->broken || call->writing ||
        call->queue.empty()) {
      return;
    }
    call->writing = true;
    grpc::WriteOptions options;
    // More is coming: let the transport send it together.
    if (call->queue.size() > 1) options.set_buffer_hint();
    call->stream->Write(*call->queue.front().request, options, &call->write);
  }

  void Break(Call* call) {
    call->broken = true;
    // The first may be being written.
    while (call->queue.size() > (call->writing ? 1 : 0)) {
      Written(call->queue.back());
      call->queue.pop_back();
    }
  }

  // `command` is off the backlog.
  void Written(const Command& command) {
    const size_t bytes = command.bytes.value_or(0);
    if (bytes > 0 && (backlog_bytes_ -= bytes) == 0) SignalLoop();
  }

  void FinishIfQuiet(Call* call) {
    if (!call->broken || !call->started || call->reading || call->writing ||
        call->finishing) {
      return;
    }
    call->finishing = true;
    call->stream->Finish(&call->status, &call->finish);
  }

  void Deliver(Call* call, StreamEvent event) {
    {
      absl::MutexLock lock(&mutex_);
      if (call->generation != generation_) return;
      events_.push_back(std::move(event));
    }
    SignalLoop();
  }

  void Destroy(Call* call) {
    if (current_ == call) current_ = nullptr;
    std::erase_if(calls_, [call](const auto& c) { return c.get() == call; });
  }

  const std::string address_;
  const UniqueFd event_fd_;
  absl::Mutex mutex_;
  // Of the stream opened last; others are of no interest to the loop.
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Command> commands_ ABSL_GUARDED_BY(mutex_);
  std::vector<StreamEvent> events_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> backlog_bytes_ = 0;
  std::atomic<bool> woken_ = false;

  grpc::CompletionQueue queue_;
  grpc::Alarm alarm_;
  // Of the thread alone.
  std::vector<std::unique_ptr<Call>> calls_;
  Call* current_ = nullptr;
  bool quitting_ = false;

  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<GrpcDispatchStream>> GrpcDispatchStream::Create(
    const std::string& address) {
  UniqueFd event_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_fd.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  return std::unique_ptr<GrpcDispatchStream>(new GrpcDispatchStream(
      std::make_unique<Thread>(address, std::move(event_fd))));
}

GrpcDispatchStream::GrpcDispatchStream(std::unique_ptr<Thread> thread)
    : thread_(std::move(thread)) {}

GrpcDispatchStream::~GrpcDispatchStream() = default;

void GrpcDispatchStream::Open(v1::AttachRequest request) {
  thread_->Open(std::move(request));
}
void GrpcDispatchStream::Send(v1::AttachRequest request) {
  thread_->Send(std::move(request));
}
void GrpcDispatchStream::Close() { thread_->Close(); }
size_t GrpcDispatchStream::backlog_bytes() const {
  return thread_->backlog_bytes();
}
int GrpcDispatchStream::event_fd() const { return thread_->event_fd(); }
std::vector<StreamEvent> GrpcDispatchStream::TakeEvents() {
  return thread_->TakeEvents();
}

}  // namespace vigil::worker
