// JobFlags: the flags that say what a job is and how it is watched over, shared
// by `vigil run` and `vigil batch`. Thread-compatible; must outlive the FlagSet
// that it was added to.
#ifndef VIGIL_CLIENT_CLI_JOB_FLAGS_H_
#define VIGIL_CLIENT_CLI_JOB_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/environment.h"
#include "client/cli/flags.h"
#include "vigil/v1/job.pb.h"

namespace vigil::cli {

class JobFlags {
 public:
  void AddTo(FlagSet* flags);

  // Makes the specification of a job that runs `words`: a program with its
  // arguments, or the arguments of the task type. A command gets the caller's
  // working directory, PATH, HOME and LANG, and what --env says. Reads the file
  // or stream of --stdin, once.
  //
  // - INVALID_ARGUMENT: flags or words that do not go together, are not UTF-8,
  //   or an input above its bound.
  // - Others: the input could not be read.
  absl::StatusOr<v1::JobSpec> Spec(const std::vector<std::string>& words,
                                   const Environment& environment) const;

  const std::string& job_namespace() const { return namespace_; }
  bool has_task_type() const { return !spec_.task_type().empty(); }
  // What --input says, which is then the specification's too.
  const std::optional<std::string>& input() const { return input_; }
  // Whether any flag says what the input is.
  bool takes_input() const { return input_.has_value() || !stdin_.empty(); }
  // Whether jobs read what the CLI itself was given on stdin.
  bool takes_stdin() const { return stdin_ == "-"; }
  // Whether the flags leave it open how often a job is tried.
  bool retry_is_default() const {
    return !spec_.retry().has_maximum_attempts() &&
           spec_.retry().retry_on().empty();
  }

 private:
  void AddClocks(FlagSet* flags);
  void AddChunks(FlagSet* flags);
  void AddActivity(FlagSet* flags);
  void AddNesting(FlagSet* flags);
  void AddRest(FlagSet* flags);
  absl::Status FillCommand(const std::vector<std::string>& words,
                           const Environment& environment,
                           v1::Command* command) const;

  // What the flags said so far.
  v1::JobSpec spec_;
  std::string namespace_;
  std::string stdin_;
  std::optional<std::string> input_;
  std::vector<std::string> env_;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_JOB_FLAGS_H_
