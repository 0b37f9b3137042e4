// Recorder: everything that a JobObserver is told, as lines, for tests of what
// a client does. Thread-safe but for `end`, which is there once `ended` is
// notified. Must outlive its observer.
#ifndef VIGIL_CLIENT_CC_RECORDER_H_
#define VIGIL_CLIENT_CC_RECORDER_H_

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/cc/job_observer.h"

namespace vigil::client {

class Recorder {
 public:
  JobObserver Observer() {
    JobObserver observer;
    observer.on_job = [this](const v1::Job& job) {
      Add(v1::Job::State_Name(job.state()));
    };
    observer.on_output = [this](const v1::Output& output) {
      Add(output.data());
      if (on_output) on_output();
    };
    observer.on_gap = [this](const v1::OutputGap& gap) {
      Add(absl::StrCat("gap of ", gap.size_bytes()));
    };
    observer.on_notice = [this](const v1::Failure& notice) {
      Add(notice.message());
    };
    observer.on_end = [this](absl::StatusOr<v1::Job> job) {
      end = std::move(job);
      ended.Notify();
    };
    return observer;
  }

  std::vector<std::string> lines() {
    std::lock_guard<std::mutex> lock(mu_);
    return lines_;
  }

  std::function<void()> on_output;
  absl::Notification ended;
  absl::StatusOr<v1::Job> end = absl::UnknownError("not ended");

 private:
  void Add(const std::string& line) {
    std::lock_guard<std::mutex> lock(mu_);
    lines_.push_back(line);
  }

  std::mutex mu_;
  std::vector<std::string> lines_;
};

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_RECORDER_H_
