#include "coordinator/http/rpc_calls.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace vigil::coordinator {
namespace {

// The longest deadline that is handed to gRPC, whose instants end in 2262.
constexpr absl::Duration kTimeoutMax = absl::Hours(24 * 365);

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Metadata as text: binary values in base64 without padding, as the Connect
// protocol has them.
HttpFields FieldsOf(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  HttpFields fields;
  for (const auto& [key, value] : metadata) {
    const std::string name(key.data(), key.size());
    std::string text(value.data(), value.size());
    if (absl::EndsWith(name, "-bin")) {
      text = absl::Base64Escape(text);
      text.erase(text.find_last_not_of('=') + 1);
    }
    fields.push_back({name, std::move(text)});
  }
  return fields;
}

class Call;

// What comes back from the completion queue.
struct Tag {
  Call* call;
  void (Call::*step)(bool ok);
};

// The calls that gRPC still holds something of.
class Owner {
 public:
  virtual ~Owner() = default;
  virtual void Forget(Call* call) = 0;
};

// A call, in gRPC's order: start, write, read until nothing comes, finish.
class Call {
 public:
  Call(Owner* owner, grpc::GenericStub* stub, grpc::CompletionQueue* queue,
       RpcCalls::Request request, RpcListener* listener)
      : owner_(owner), answers_(request.answers), listener_(listener) {
    for (const HttpField& field : request.metadata) {
      context_.AddMetadata(field.name, field.value);
    }
    if (request.timeout) {
      const absl::Duration timeout = std::min(*request.timeout, kTimeoutMax);
      context_.set_deadline(
          gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                       gpr_time_from_millis(absl::ToInt64Milliseconds(timeout),
                                            GPR_TIMESPAN)));
    }
    const grpc::Slice slice(request.message);
    request_ = grpc::ByteBuffer(&slice, 1);
    rpc_ = stub->PrepareCall(&context_, request.path, queue);
    rpc_->StartCall(&started_);
  }

  void Read() {
    idle_ = false;
    rpc_->Read(&response_, &read_);
  }

  // Nobody listens any more.
  void Cancel() {
    listener_ = nullptr;
    context_.TryCancel();
    if (idle_) Finish();
  }

 private:
  void Started(bool ok) {
    if (!ok) return Finish();
    rpc_->WriteLast(request_, grpc::WriteOptions(), &written_);
  }

  // One that could not be written has ended: its end is there to be read.
  void Written(bool) {
    request_.Clear();
    if (listener_ == nullptr) return Finish();
    Read();
  }

  void HasRead(bool ok) {
    if (!ok || listener_ == nullptr) return Finish();
    std::string message = BytesOf(response_);
    response_.Clear();
    if (answers_ == RpcCalls::Answers::kOne) {
      Finish();
    } else {
      idle_ = true;
    }
    listener_->OnMessage(std::move(message));
  }

  void Finish() {
    idle_ = false;
    rpc_->Finish(&status_, &finished_);
  }

  void Finished(bool) {
    RpcListener* const listener = listener_;
    absl::Status status(static_cast<absl::StatusCode>(status_.error_code()),
                        status_.error_message());
    HttpFields trailing = FieldsOf(context_.GetServerTrailingMetadata());
    if (listener != nullptr) {
      listener_ = nullptr;
      listener->OnEnd(std::move(status), std::move(trailing));
    }
    owner_->Forget(this);
  }

  Owner* const owner_;
  const RpcCalls::Answers answers_;
  RpcListener* listener_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> rpc_;
  // It waits for Next.
  bool idle_ = false;
  Tag started_{this, &Call::Started};
  Tag written_{this, &Call::Written};
  Tag read_{this, &Call::HasRead};
  Tag finished_{this, &Call::Finished};
};

class GrpcCalls : public RpcCalls, public Owner {
 public:
  GrpcCalls(std::shared_ptr<grpc::Channel> channel,
            std::function<void(std::function<void()>)> post)
      : stub_(std::move(channel)), post_(std::move(post)), thread_([this] {
          void* tag = nullptr;
          bool ok = false;
          while (queue_.Next(&tag, &ok)) {
            const Tag* const step = static_cast<Tag*>(tag);
            post_([step, ok] { (step->call->*step->step)(ok); });
          }
        }) {}

  ~GrpcCalls() override {
    queue_.Shutdown();
    thread_.join();
  }

  std::unique_ptr<RpcCall> Start(Request request,
                                 RpcListener* listener) override;

  void WhenIdle(std::function<void()> idle) override {
    idle_ = std::move(idle);
    if (calls_.empty()) idle_();
  }

  void Forget(Call* call) override {
    calls_.erase(call);
    if (calls_.empty() && idle_) idle_();
  }

 private:
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  const std::function<void(std::function<void()>)> post_;
  absl::flat_hash_map<Call*, std::shared_ptr<Call>> calls_;
  std::function<void()> idle_;
  // Last: it uses the others.
  std::thread thread_;
};

class Handle : public RpcCall {
 public:
  explicit Handle(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~Handle() override { call_->Cancel(); }
  void Next() override { call_->Read(); }

 private:
  // It may have ended.
  const std::shared_ptr<Call> call_;
};

std::unique_ptr<RpcCall> GrpcCalls::Start(Request request,
                                          RpcListener* listener) {
  auto call = std::make_shared<Call>(this, &stub_, &queue_, std::move(request),
                                     listener);
  calls_[call.get()] = call;
  return std::make_unique<Handle>(std::move(call));
}

}  // namespace

std::unique_ptr<RpcCalls> RpcCalls::Create(
    std::shared_ptr<grpc::Channel> channel,
    std::function<void(std::function<void()>)> post) {
  return std::make_unique<GrpcCalls>(std::move(channel), std::move(post));
}

}  // namespace vigil::coordinator
