#include "client/cli/command/stream_command.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/command/call_failure.h"
#include "client/cli/command/message_text.h"
#include "client/cli/command/request_size.h"
#include "client/cli/exit_code.h"
#include "client/cli/verb.h"

namespace vigil::cli {

using ::google::protobuf::Message;

StreamCommand::StreamCommand(const NounSpec& noun, const CommandSpec& command,
                             const MethodShape& shape,
                             const CommandFlags::Values& flags,
                             const Connection& connection,
                             const Environment& environment,
                             std::unique_ptr<Message> first,
                             std::optional<LineSource> lines)
    : noun_(noun),
      command_(command),
      shape_(shape),
      flags_(flags),
      connection_(connection),
      environment_(environment),
      first_(std::move(first)),
      lines_(std::move(lines)),
      output_(flags.output, environment),
      // Without a first request nothing is said of what is streamed.
      resume_(noun, command,
              first_ == nullptr ? *NewMessage(shape.request) : *first_) {}

int StreamCommand::Execute() {
  auto calls = client::DynamicCalls::Connect(connection_.address());
  if (!calls.ok()) return Fail(calls.status().message());
  calls_ = *std::move(calls);
  stream_ =
      calls_->Open(std::string(command_.method), *NewMessage(shape_.response),
                   Observer(), flags_.timeout);
  while (!end_.has_value()) {
    Send();
    WaitOnce();
  }
  calls_.reset();
  return Finish();
}

client::DynamicObserver StreamCommand::Observer() {
  EventQueue* events = environment_.events;
  return {.on_message =
              [this, events](MessagePtr message) {
                events->Post([this, message = std::move(message)] {
                  OnMessage(message);
                });
              },
          .on_written =
              [this, events] { events->Post([this] { writing_ = false; }); },
          .on_end =
              [this, events](const absl::Status& status) {
                events->Post([this, status] { end_ = status; });
              }};
}

void StreamCommand::OnMessage(const MessagePtr& message) {
  if (print_failed_) return;
  const bool printed = StreamsDown(command_.streaming)
                           ? output_.PrintEvent(*message)
                           : output_.PrintResponse(*message);
  resume_.Note(*message);
  if (printed) {
    stream_->Next();
  } else {
    print_failed_ = true;
    stream_->Abandon();
  }
}

void StreamCommand::Send() {
  if (writing_ || writes_done_) return;
  std::unique_ptr<Message> message = std::move(first_);
  const bool is_line = message == nullptr && lines_.has_value();
  if (is_line) {
    const std::optional<std::string> line = lines_->Next();
    if (line.has_value()) {
      message = NewMessage(shape_.request);
      const absl::Status status = ParseMessage(*line, message.get());
      if (!status.ok()) {
        Stop(OfLine(status));
        return;
      }
    }
  }
  if (message != nullptr) {
    if (absl::Status fits = CheckRequestSize(*message); !fits.ok()) {
      Stop(is_line ? OfLine(fits) : fits);
      return;
    }
    writing_ = true;
    stream_->Write(*message);
  } else if (!lines_.has_value() || lines_->ended()) {
    writes_done_ = true;
    stream_->WritesDone();
  }
}

absl::Status StreamCommand::OfLine(const absl::Status& status) const {
  return absl::Status(status.code(),
                      absl::StrCat("--from_file: line ", lines_->number(), ": ",
                                   status.message()));
}

void StreamCommand::WaitOnce() {
  const bool reads = !writing_ && !writes_done_ && lines_.has_value();
  const EventQueue::Wakeup wakeup = environment_.events->Wait(
      absl::InfiniteDuration(), reads ? lines_->fd() : -1);
  if (wakeup.signal != 0 && signal_ == 0) {
    signal_ = wakeup.signal;
    stream_->Abandon();
  }
  if (reads && wakeup.readable) {
    if (absl::Status status = lines_->Fill(); !status.ok()) {
      Stop(absl::Status(status.code(),
                        absl::StrCat("--from_file: ", status.message())));
    }
  }
}

void StreamCommand::Stop(absl::Status why) {
  problem_ = std::move(why);
  writes_done_ = true;
  stream_->Abandon();
}

int StreamCommand::Finish() {
  if (print_failed_ || !output_.Finish()) {
    // One that ended a write was taken since.
    return signal_ != 0 ? kExitSignal + signal_ : output_.ExitOfFailure();
  }
  if (!problem_.ok()) return Fail(problem_.message());
  if (end_->ok()) return 0;
  const int exit = signal_ != 0
                       ? kExitSignal + signal_
                       : TellFailure(noun_, command_, connection_, *end_);
  const std::string command = resume_.Command();
  if (!command.empty()) {
    Fail(absl::StrCat("to go on from there: ", command,
                      connection_.GivenFlags()));
  }
  return exit;
}

}  // namespace vigil::cli
