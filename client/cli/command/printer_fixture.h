// PrinterFixture: what a printer writes of messages that a test gives it,
// stdout and stderr in one text as on a terminal. Thread-compatible, for tests
// alone. It owns all that it is given.
#ifndef VIGIL_CLIENT_CLI_COMMAND_PRINTER_FIXTURE_H_
#define VIGIL_CLIENT_CLI_COMMAND_PRINTER_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "client/cli/command/golden.h"
#include "client/cli/command/printer.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace vigil::cli {

// The instant from which the tests count ages: 2026-11-26 08:00:00 UTC.
inline const absl::Time kTestNow = absl::FromUnixSeconds(1795680000);

inline Printer::Options PlainOptions(OutputFormat format) {
  Printer::Options options;
  options.format = format;
  options.now = kTestNow;
  return options;
}

class PrinterFixture {
 public:
  explicit PrinterFixture(Printer::Options options)
      : printer_(
            options, [this](absl::string_view text) { return Out(text); },
            [this](absl::string_view text) { return Err(text); }) {}

  Printer& printer() { return printer_; }
  // Both as they came; lines of stderr begin with "stderr: ".
  const std::string& transcript() const { return transcript_; }

 private:
  bool Out(absl::string_view text) {
    absl::StrAppend(&transcript_, text);
    return true;
  }
  bool Err(absl::string_view text) {
    absl::StrAppend(&transcript_, text == "\n" ? "" : "stderr: ", text);
    return true;
  }

  std::string transcript_;
  Printer printer_;
};

template <typename Message>
Message ParseText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// The messages in a file of test data, separated as the printer does it.
template <typename Message>
std::vector<Message> ReadMessages(const std::string& name) {
  std::vector<Message> messages;
  for (const absl::string_view part :
       absl::StrSplit(ReadTestData(name), "# ----\n")) {
    messages.push_back(ParseText<Message>(std::string(part)));
  }
  return messages;
}

template <typename Message>
std::string PrintedPages(const std::vector<Message>& pages,
                         const Printer::Options& options) {
  PrinterFixture fixture(options);
  for (const Message& page : pages) {
    EXPECT_TRUE(fixture.printer().PrintResponse(page));
  }
  EXPECT_TRUE(fixture.printer().Finish());
  return fixture.transcript();
}

template <typename Message>
std::string PrintedEvents(const std::vector<Message>& events,
                          const Printer::Options& options) {
  PrinterFixture fixture(options);
  for (const Message& event : events) {
    EXPECT_TRUE(fixture.printer().PrintEvent(event));
  }
  EXPECT_TRUE(fixture.printer().Finish());
  return fixture.transcript();
}

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_COMMAND_PRINTER_FIXTURE_H_
