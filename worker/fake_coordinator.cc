#include "worker/fake_coordinator.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/wire/time_wire.h"
#include "gtest/gtest.h"

namespace vigil::worker {
namespace {

// What a loaded machine may take for anything that is quick.
constexpr absl::Duration kPatience = absl::Seconds(30);

}  // namespace

FakeCoordinator::FakeCoordinator() {
  static int count = 0;
  // Short, whatever the test's directory is: sun_path holds 107 bytes.
  address_ = absl::StrCat("unix:/tmp/vigil-fake-", getpid(), "-", ++count);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  VIGIL_CHECK(server_ != nullptr, address_);
}

FakeCoordinator::~FakeCoordinator() {
  server_->Shutdown(std::chrono::system_clock::now());
  unlink(address_.substr(sizeof("unix:") - 1).c_str());
}

void FakeCoordinator::Behave(absl::FunctionRef<void(Behaviour&)> change) {
  absl::MutexLock lock(&mutex_);
  change(behaviour_);
}

void FakeCoordinator::Send(const v1::AttachResponse& response) {
  absl::MutexLock lock(&mutex_);
  ASSERT_NE(connection_, nullptr);
  connection_->Write(response);
}

void FakeCoordinator::Cut() {
  absl::MutexLock lock(&mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

void FakeCoordinator::WaitUntil(
    const char* what,
    absl::FunctionRef<bool(const std::vector<Stream>&)> done) {
  absl::MutexLock lock(&mutex_);
  const auto holds = [&] {
    mutex_.AssertHeld();
    return done(streams_);
  };
  ASSERT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&holds), kPatience))
      << "waited for: " << what;
}

std::vector<FakeCoordinator::Stream> FakeCoordinator::streams() {
  absl::MutexLock lock(&mutex_);
  return streams_;
}

v1::AttemptEnd FakeCoordinator::WaitForEnd(const std::string& job) {
  v1::AttemptEnd found;
  WaitUntil("an end", [&](const std::vector<Stream>& streams) {
    for (const Stream& stream : streams) {
      for (const v1::AttemptEnd& end : stream.ends) {
        if (end.attempt().job_id() != job) continue;
        found = end;
        return true;
      }
    }
    return false;
  });
  return found;
}

std::string FakeCoordinator::Output(const std::string& job,
                                    v1::Output::Stream stream) {
  absl::MutexLock lock(&mutex_);
  std::string text;
  for (const Stream& one : streams_) {
    for (const v1::AttemptOutput& output : one.output) {
      const v1::Output& piece = output.output();
      if (output.attempt().job_id() != job || piece.stream() != stream) {
        continue;
      }
      const size_t offset = static_cast<size_t>(piece.offset());
      EXPECT_LE(offset, text.size()) << "a gap";
      if (offset > text.size()) return text;
      const size_t known = text.size() - offset;
      if (known < piece.data().size()) text += piece.data().substr(known);
    }
  }
  return text;
}

v1::AttachResponse FakeCoordinator::Record(size_t index,
                                           const v1::AttachRequest& request) {
  v1::AttachResponse answer;
  Stream& stream = streams_[index];
  for (const v1::AttemptUpdate& update : request.updates()) {
    stream.updates.push_back(update);
  }
  for (const v1::AttemptOutput& output : request.output()) {
    stream.output.push_back(output);
    if (!behaviour_.acknowledge_output) continue;
    int64_t& total = total_bytes_[output.attempt().job_id()];
    total += static_cast<int64_t>(output.output().data().size());
    v1::OutputAck* ack = answer.add_output_acks();
    *ack->mutable_attempt() = output.attempt();
    ack->set_total_bytes(total);
  }
  for (const v1::AttemptEnd& end : request.ends()) {
    stream.ends.push_back(end);
    stream.output_before_end.push_back(stream.output.size());
    if (behaviour_.acknowledge_ends) {
      *answer.add_acknowledged_ends() = end.attempt();
    }
  }
  stream.draining |= request.draining();
  stream.left |= request.left();
  if (request.has_heartbeat()) {
    ++stream.heartbeats;
    if (behaviour_.answer_heartbeats) {
      answer.set_heartbeat_number(request.heartbeat().number());
    }
  }
  return answer;
}

grpc::Status FakeCoordinator::Attach(grpc::ServerContext* context,
                                     Connection* stream) {
  v1::AttachRequest request;
  if (!stream->Read(&request)) return grpc::Status::CANCELLED;
  size_t index = 0;
  {
    absl::MutexLock lock(&mutex_);
    index = streams_.size();
    streams_.emplace_back().attach = request.attach();
    if (!behaviour_.refuse_attach.ok()) {
      return std::exchange(behaviour_.refuse_attach, grpc::Status::OK);
    }
    connection_ = stream;
    context_ = context;
    if (behaviour_.answer_attach) {
      v1::AttachResponse response;
      v1::Attached* attached = response.mutable_attached();
      attached->set_protocol_version(1);
      attached->set_epoch(1);
      vigil::ToProto(behaviour_.lease, attached->mutable_lease());
      vigil::ToProto(behaviour_.heartbeat_interval,
                     attached->mutable_heartbeat_interval());
      if (behaviour_.kill_running) {
        *attached->mutable_kill() = request.attach().running();
      }
      for (const v1::AttemptEnd& end : request.attach().ended()) {
        if (!behaviour_.acknowledge_ends) break;
        *response.add_acknowledged_ends() = end.attempt();
      }
      stream->Write(response);
    }
  }
  while (stream->Read(&request)) {
    absl::MutexLock lock(&mutex_);
    const v1::AttachResponse answer = Record(index, request);
    if (answer.ByteSizeLong() > 0) stream->Write(answer);
    if (request.left()) break;
  }
  absl::MutexLock lock(&mutex_);
  if (connection_ == stream) {
    connection_ = nullptr;
    context_ = nullptr;
  }
  return streams_[index].left ? grpc::Status::OK : grpc::Status::CANCELLED;
}

}  // namespace vigil::worker
