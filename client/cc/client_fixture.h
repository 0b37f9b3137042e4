// ClientTest: a client and the scripted coordinator that it talks to, in one
// process, as a fixture for tests. Thread-compatible; owns both, and a
// directory for their socket.
#ifndef VIGIL_CLIENT_CC_CLIENT_FIXTURE_H_
#define VIGIL_CLIENT_CC_CLIENT_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cc/client.h"
#include "client/cc/fake_coordinator.h"
#include "client/cc/recorder.h"
#include "client/cc/test_dir.h"
#include "gtest/gtest.h"

namespace vigil::client {

inline const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE,
                                       "restarting");

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() : address_(absl::StrCat("unix:", dir_.path(), "/s")) {}

  // Starts the fake with the handlers set so far.
  void Start() {
    fake_.Start(address_);
    Connect();
  }

  void Connect(absl::Duration give_up_after = absl::Seconds(60)) {
    ClientOptions options;
    options.backoff.initial_interval = absl::Milliseconds(1);
    options.backoff.maximum_interval = absl::Milliseconds(20);
    options.backoff.give_up_after = give_up_after;
    auto client = Client::Connect(address_, options);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  const TestDir dir_;
  const std::string address_;
  FakeCoordinator fake_;
  Recorder recorder_;
  std::unique_ptr<Client> client_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_CLIENT_FIXTURE_H_
