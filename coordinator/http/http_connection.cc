#include "coordinator/http/http_connection.h"

#include <netinet/tcp.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "coordinator/http/connect_error.h"
#include "coordinator/http/limits.h"

namespace vigil::coordinator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr size_t kReadBytes = 16 << 10;
// Of HTTP/1.1, as the library counts.
constexpr unsigned kVersion11 = 11;

// Of a client that is silent: it is asked after 30 s, and is gone 30 s later.
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;

// Returns what a message is on the wire; of one without length only the head.
template <typename Message>
std::string OnTheWire(Message& message, bool only_head) {
  http::serializer<false, typename Message::body_type> serializer(message);
  serializer.split(only_head);
  std::string bytes;
  Error error;
  while (!serializer.is_done() && !(only_head && serializer.is_header_done())) {
    serializer.next(error, [&](Error&, const auto& buffers) {
      bytes += boost::beast::buffers_to_string(buffers);
      serializer.consume(boost::beast::buffer_bytes(buffers));
    });
  }
  return bytes;
}

template <typename Message>
void SetHead(const HttpResponse& response, bool keep_alive, Message* message) {
  message->version(kVersion11);
  message->result(static_cast<unsigned>(response.status));
  if (message->result() == http::status::unknown) {
    // 499, which is nginx's.
    message->reason("Client Closed Request");
  }
  for (const HttpField& field : response.fields) {
    message->insert(field.name, field.value);
  }
  message->keep_alive(keep_alive);
}

// One connection. Each operation in flight holds it.
class BeastConnection : public Connection,
                        public HttpExchange,
                        public HeldBytes::Holder,
                        public std::enable_shared_from_this<BeastConnection> {
 public:
  BeastConnection(ServerState* server, Tcp::socket socket)
      : server_(server),
        socket_(std::move(socket)),
        deadline_(socket_.get_executor()) {}

  void Serve() override;
  void Refuse() override;
  void Close() override;
  std::optional<Instant> waits_since() const override;

  void Respond(HttpResponse response) override;
  void Begin(HttpResponse head) override;
  void Send(std::string piece, std::function<void()> sent) override;
  void End(std::string last_piece) override;
  void Cut() override;

 private:
  using Parser = http::request_parser<http::string_body>;
  enum class State { kIdle, kHead, kBody, kAnswering, kLingering, kClosed };

  void SetDeadline(absl::Duration timeout);
  void ClearDeadline() { deadline_.expires_at(Instant::max()); }
  void WaitForRequest(absl::Duration timeout);
  void Watch();
  void OnWatched(Error error, size_t size);
  void ReadHead();
  void OnHead(Error error);
  void OnReadError(Error error);
  void ReadBody();
  void OnBody(Error error);
  void RefuseRequest(HttpResponse response);
  void SendWhole(const HttpResponse& response);
  void SendChunk(const std::string& piece);
  void Write(std::string bytes);
  void WriteSome();
  void FinishAnswer();
  void Linger();
  void LingerRead();
  void NoteHeld();

  ServerState* const server_;
  Tcp::socket socket_;
  asio::steady_timer deadline_;
  State state_ = State::kIdle;
  Instant since_;
  boost::beast::flat_buffer input_{kHttpInputBytesMax};
  // A read is in flight that belongs to no parser.
  bool watching_ = false;
  std::optional<Parser> parser_;
  std::unique_ptr<HttpAnswer> answer_;
  bool keep_alive_ = false;
  // The answer has no length, and its reader may be slow.
  bool streaming_ = false;
  // The request is a HEAD: what answers it has no body.
  bool only_head_ = false;
  // Nothing follows what is to be written.
  bool ends_ = false;
  std::function<void()> on_sent_;
  // What is being written, from `written_` on, and what comes behind it.
  std::string output_;
  size_t written_ = 0;
  bool writing_ = false;
  std::string more_output_;
  char scratch_[1024];
  size_t lingered_bytes_ = 0;
};

void BeastConnection::SetDeadline(absl::Duration timeout) {
  deadline_.expires_after(absl::ToChronoMilliseconds(timeout));
  deadline_.async_wait([self = shared_from_this()](Error error) {
    // It may have been moved while this was on its way.
    if (!error && self->deadline_.expiry() <= Instant::clock::now()) {
      self->Close();
    }
  });
}

void BeastConnection::NoteHeld() {
  size_t bytes = output_.size() - written_ + more_output_.size();
  if (state_ == State::kBody) bytes += parser_->get().body().size();
  server_->held().Set(this, static_cast<int64_t>(bytes));
}

void BeastConnection::Cut() {
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->Close(); });
}

void BeastConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  server_->held().Set(this, 0);
  answer_.reset();
  on_sent_ = nullptr;
  ClearDeadline();
  Error ignored;
  socket_.close(ignored);
  server_->Remove(this);
}

std::optional<Connection::Instant> BeastConnection::waits_since() const {
  if (state_ == State::kIdle || state_ == State::kHead) return since_;
  return std::nullopt;
}

void BeastConnection::Serve() {
  Error ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(kHttpSendBufferBytes),
                     ignored);
  const std::pair<int, int> options[] = {
      {TCP_KEEPIDLE, kKeepAliveIdleSeconds},
      {TCP_KEEPINTVL, kKeepAliveIntervalSeconds},
      {TCP_KEEPCNT, kKeepAliveProbes}};
  for (const auto& [option, value] : options) {
    setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &value,
               sizeof(value));
  }
  WaitForRequest(kHttpHeadTimeout);
}

void BeastConnection::Refuse() {
  HttpResponse response = ErrorResponse(absl::UnavailableError(
      "the coordinator has as many HTTP connections as it may; try again in a "
      "moment"));
  response.fields.push_back({"retry-after", "1"});
  RefuseRequest(std::move(response));
}

void BeastConnection::WaitForRequest(absl::Duration timeout) {
  state_ = State::kIdle;
  since_ = Instant::clock::now();
  SetDeadline(timeout);
  if (!watching_ && input_.size() == 0) return Watch();
  if (!watching_) return ReadHead();
  // The next request has come ahead of its turn: OnWatched goes on with it.
  if (input_.size() > 0) socket_.cancel();
}

// Reads while nothing is expected: the next request, or the client's end, which
// cancels what it asked for.
void BeastConnection::Watch() {
  if (input_.size() > kHttpHeadBytesMax) {
    // TCP holds the client back until it is answered. A stream may last, and
    // meanwhile the client's end would not be seen: that is cut off.
    if (streaming_ && !ends_) Close();
    return;
  }
  watching_ = true;
  socket_.async_read_some(
      input_.prepare(kReadBytes),
      [self = shared_from_this()](Error error, size_t size) {
        self->OnWatched(error, size);
      });
}

void BeastConnection::OnWatched(Error error, size_t size) {
  watching_ = false;
  if (state_ == State::kClosed) return;
  input_.commit(size);
  if (state_ == State::kLingering) return LingerRead();
  const bool cancelled = error == asio::error::operation_aborted;
  if (error && !(cancelled && state_ == State::kIdle)) return Close();
  if (state_ == State::kIdle) return ReadHead();
  Watch();
}

void BeastConnection::ReadHead() {
  state_ = State::kHead;
  since_ = Instant::clock::now();
  SetDeadline(kHttpHeadTimeout);
  parser_.emplace();
  parser_->header_limit(kHttpHeadBytesMax);
  parser_->body_limit(kHttpJsonBodyBytesMax);
  http::async_read_header(socket_, input_, *parser_,
                          [self = shared_from_this()](Error error, size_t) {
                            self->OnHead(error);
                          });
}

// Answers what cannot be parsed; a client that has gone is not told.
void BeastConnection::OnReadError(Error error) {
  if (error == http::error::header_limit) {
    return RefuseRequest(ErrorResponse(
        absl::ResourceExhaustedError(absl::StrCat(
            "request line and headers may have ", kHttpHeadBytesMax, " bytes")),
        431));
  }
  if (error == http::error::buffer_overflow) {
    return RefuseRequest(
        ErrorResponse(absl::ResourceExhaustedError(absl::StrCat(
                          "what is between chunks and behind them may have ",
                          kHttpInputBytesMax, " bytes")),
                      431));
  }
  if (error == http::error::body_limit) {
    return RefuseRequest(
        ErrorResponse(absl::ResourceExhaustedError(absl::StrCat(
                          "the body is too large: a message may have ",
                          kHttpBinaryBodyBytesMax, " bytes, and ",
                          kHttpJsonBodyBytesMax, " as JSON")),
                      413));
  }
  const bool malformed =
      error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream &&
      error != http::error::partial_message;
  if (!malformed) return Close();
  RefuseRequest(ErrorResponse(absl::InvalidArgumentError(
      absl::StrCat("this is not HTTP/1.1: ", error.message()))));
}

void BeastConnection::OnHead(Error error) {
  if (state_ == State::kClosed) return;
  if (error) return OnReadError(error);
  const auto& message = parser_->get();
  if (message.version() != kVersion11) {
    return RefuseRequest(ErrorResponse(
        absl::UnimplementedError("the request is not in HTTP/1.1"), 505));
  }
  HttpRequestHead head;
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  for (const auto& field : message) {
    head.fields.push_back(
        {absl::AsciiStrToLower(absl::string_view(field.name_string().data(),
                                                 field.name_string().size())),
         std::string(field.value())});
  }
  auto judged = server_->handler()->Judge(head);
  if (auto* refusal = absl::get_if<HttpResponse>(&judged)) {
    return RefuseRequest(std::move(*refusal));
  }
  answer_ = std::move(absl::get<std::unique_ptr<HttpAnswer>>(judged));
  const size_t body_bytes_max = answer_->body_bytes_max();
  if (parser_->content_length().value_or(0) > body_bytes_max) {
    return OnReadError(http::error::body_limit);
  }
  parser_->body_limit(body_bytes_max);
  state_ = State::kBody;
  SetDeadline(kHttpBodyTimeout);
  if (message.count(http::field::expect) > 0 && !parser_->is_done()) {
    http::response<http::empty_body> go_on(http::status::continue_, kVersion11);
    Write(OnTheWire(go_on, /*only_head=*/true));
  }
  ReadBody();
}

void BeastConnection::ReadBody() {
  if (!parser_->is_done()) {
    http::async_read_some(socket_, input_, *parser_,
                          [self = shared_from_this()](Error error, size_t) {
                            self->OnBody(error);
                          });
    return;
  }
  std::string body = std::move(parser_->get().body());
  keep_alive_ = parser_->get().keep_alive();
  parser_.reset();
  state_ = State::kAnswering;
  NoteHeld();
  ClearDeadline();
  answer_->Start(std::move(body), this);
  // Now it is known whether this is a stream.
  Watch();
}

void BeastConnection::OnBody(Error error) {
  if (state_ == State::kClosed) return;
  if (error) return OnReadError(error);
  NoteHeld();
  ReadBody();
}

// Answers a request that was not read to its end, which ends the connection.
void BeastConnection::RefuseRequest(HttpResponse response) {
  state_ = State::kAnswering;
  answer_.reset();
  // No method is called with it, so all of them come here.
  only_head_ = parser_ && parser_->get().method() == http::verb::head;
  parser_.reset();
  keep_alive_ = false;
  SendWhole(response);
}

void BeastConnection::SendWhole(const HttpResponse& response) {
  http::response<http::string_body> message;
  keep_alive_ = keep_alive_ && !server_->stopping();
  SetHead(response, keep_alive_, &message);
  message.body() = response.body;
  message.prepare_payload();
  ends_ = true;
  SetDeadline(kHttpWriteTimeout);
  Write(OnTheWire(message, only_head_));
}

void BeastConnection::Respond(HttpResponse response) {
  if (state_ == State::kAnswering) SendWhole(response);
}

void BeastConnection::Begin(HttpResponse head) {
  if (state_ != State::kAnswering) return;
  http::response<http::empty_body> message;
  keep_alive_ = keep_alive_ && !server_->stopping();
  SetHead(head, keep_alive_, &message);
  message.chunked(true);
  streaming_ = true;
  Write(OnTheWire(message, /*only_head=*/true));
}

void BeastConnection::SendChunk(const std::string& piece) {
  Write(boost::beast::buffers_to_string(http::make_chunk(asio::buffer(piece))));
}

void BeastConnection::Send(std::string piece, std::function<void()> sent) {
  if (state_ != State::kAnswering) return;
  on_sent_ = std::move(sent);
  SendChunk(piece);
}

void BeastConnection::End(std::string last_piece) {
  if (state_ != State::kAnswering) return;
  ends_ = true;
  SendChunk(last_piece);
  Write(boost::beast::buffers_to_string(http::make_chunk_last()));
}

void BeastConnection::Write(std::string bytes) {
  if (writing_) {
    more_output_ += bytes;
    return NoteHeld();
  }
  output_ = std::move(bytes);
  written_ = 0;
  writing_ = true;
  NoteHeld();
  WriteSome();
}

void BeastConnection::WriteSome() {
  socket_.async_write_some(
      asio::buffer(output_.data() + written_, output_.size() - written_),
      [self = shared_from_this()](Error error, size_t size) {
        if (self->state_ == State::kClosed) return;
        if (error) return self->Close();
        self->written_ += size;
        if (self->written_ == self->output_.size()) {
          self->output_ = std::exchange(self->more_output_, {});
          self->written_ = 0;
        }
        self->NoteHeld();
        if (!self->output_.empty()) {
          if (self->ends_ && !self->streaming_) {
            self->SetDeadline(kHttpWriteTimeout);
          }
          return self->WriteSome();
        }
        self->writing_ = false;
        if (self->on_sent_) std::exchange(self->on_sent_, nullptr)();
        if (self->ends_ && !self->writing_) self->FinishAnswer();
      });
}

void BeastConnection::FinishAnswer() {
  answer_.reset();
  ends_ = false;
  streaming_ = false;
  if (!keep_alive_ || server_->stopping()) return Linger();
  WaitForRequest(kHttpIdleTimeout);
}

// Closes so that the client can read what it was told: to close with something
// unread would reset the connection.
void BeastConnection::Linger() {
  state_ = State::kLingering;
  SetDeadline(kHttpLingerTimeout);
  Error error;
  socket_.shutdown(Tcp::socket::shutdown_send, error);
  if (error) return Close();
  if (watching_) {
    socket_.cancel();
  } else {
    LingerRead();
  }
}

void BeastConnection::LingerRead() {
  socket_.async_read_some(
      asio::buffer(scratch_),
      [self = shared_from_this()](Error error, size_t size) {
        if (self->state_ == State::kClosed) return;
        self->lingered_bytes_ += size;
        if (error || self->lingered_bytes_ > kHttpLingerBytesMax) {
          return self->Close();
        }
        self->LingerRead();
      });
}

}  // namespace

std::shared_ptr<Connection> Connection::Make(ServerState* server,
                                             Tcp::socket socket) {
  return std::make_shared<BeastConnection>(server, std::move(socket));
}

}  // namespace vigil::coordinator
