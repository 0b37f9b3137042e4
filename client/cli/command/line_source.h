// LineSource: a file or stdin, line by line, without waiting where nothing is
// there yet. Main thread only; owns the descriptor unless it is stdin.
#ifndef VIGIL_CLIENT_CLI_COMMAND_LINE_SOURCE_H_
#define VIGIL_CLIENT_CLI_COMMAND_LINE_SOURCE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vigil::cli {

class LineSource {
 public:
  // Opens the file at `path`, or stdin for "-".
  //
  // - What the system says, such as NOT_FOUND.
  static absl::StatusOr<LineSource> Open(const std::string& path);

  // The next line that is not blank, without its end; nullopt: it is not there
  // yet, or never will be.
  std::optional<std::string> Next();

  // All lines were taken that will ever be.
  bool ended() const { return end_ && buffer_.empty(); }

  // Of the last line, from 1.
  int number() const { return number_; }

  // To wait for, before Fill; -1: there is nothing more to read.
  int fd() const;

  // Reads what is there; blocks if that is nothing.
  //
  // - INVALID_ARGUMENT: a line is longer than kRequestTextBytesMax.
  // - Others: what the system says.
  absl::Status Fill();

 private:
  LineSource() = default;

  // Invalid: stdin.
  UniqueFd file_;
  std::string buffer_;
  // Nothing more comes into the buffer.
  bool end_ = false;
  int number_ = 0;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_LINE_SOURCE_H_
