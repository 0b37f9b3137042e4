#include "coordinator/process_signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace vigil::coordinator {
namespace {

sigset_t HandledSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void HandleSignals(RpcServer* server, std::function<void()> reload) {
  std::thread([server, reload = std::move(reload)] {
    const sigset_t signals = HandledSignals();
    int number = 0;
    const auto wait = [&] {
      sigwait(&signals, &number);
      return number != SIGHUP;
    };
    while (!wait()) server->Post(reload);
    Log(LogSeverity::kInfo,
        absl::StrCat("stopping after signal ", number,
                     ": nothing new is accepted, what is acknowledged is "
                     "durable; a second signal ends it at once"));
    server->Drain();
    while (!wait()) {
    }
    std::_Exit(128 + number);
  }).detach();
}

void StopAtEndOfStdin(RpcServer* server) {
  std::thread([server] {
    char ignored[256];
    for (;;) {
      const ssize_t size = read(STDIN_FILENO, ignored, sizeof(ignored));
      if (size > 0 || (size < 0 && errno == EINTR)) continue;
      server->Stop();
      return;
    }
  }).detach();
}

}  // namespace vigil::coordinator
