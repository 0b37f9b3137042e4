#include "client/cli/top.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cc/client.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/flag_values.h"
#include "client/cli/format.h"
#include "client/cli/limits.h"
#include "client/cli/screen.h"
#include "client/cli/terminal.h"
#include "client/cli/top_format.h"
#include "client/cli/top_rates.h"
#include "client/cli/top_screen.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Shows what a coordinator runs, what waits for what, how fast work ends "
    "and\n"
    "how it failed lately; attempts that were silent longest come first. On a\n"
    "terminal it fills the screen until `q` or Ctrl+C; elsewhere it writes a\n"
    "block of lines each interval. A coordinator that restarts is waited for.\n"
    "\n"
    "Exit status: 0; 125 the coordinator does not answer at first, or the last "
    "of\n"
    "--count times; 130 Ctrl+C.";

struct TopFlags {
  Connection connection;
  absl::Duration interval = kTopIntervalDefault;
  // Statuses to show; 0: without end.
  int count = 0;
  bool once = false;
  bool jsonl = false;

  void AddTo(FlagSet* flags);
};

void TopFlags::AddTo(FlagSet* flags) {
  flags->Add({.name = "interval",
              .value = "DURATION",
              .help = "How often to ask. Default 2s; at least 100ms.",
              .set = [this](absl::string_view text) -> absl::Status {
                absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
                if (!parsed.ok()) return parsed.status();
                if (*parsed < kTopIntervalMin) {
                  return absl::InvalidArgumentError("it is at least 100ms");
                }
                interval = *parsed;
                return absl::OkStatus();
              }});
  flags->Add({.name = "count",
              .letter = 'n',
              .value = "N",
              .help = "Show so many blocks, and end. Default: without end.",
              .set = SetNumber(1, kTopCountMax,
                               [this](int value) { count = value; })});
  flags->Add({.name = "once",
              .help = "Show one block, with all there is to say of it, and "
                      "end.",
              .set = SetSwitch(&once)});
  flags->Add(
      {.name = "output",
       .letter = 'o',
       .value = "FORMAT",
       .help = "`jsonl`: a line of JSON each time, with GetStatus's "
               "answer as `status`. Default `text`.",
       .choices = {"text", "jsonl"},
       .set = SetChoice<bool>(&jsonl, {{"text", false}, {"jsonl", true}})});
  connection.AddTo(flags);
}

// One view, from its first status to its exit status.
class TopVerb {
 public:
  TopVerb(const Environment& environment, TopFlags flags)
      : environment_(environment),
        flags_(std::move(flags)),
        draws_(environment.stdout_is_terminal &&
               environment.Variable("TERM") != "dumb" && !flags_.jsonl &&
               !flags_.once && flags_.count == 0) {}

  int Execute();

 private:
  absl::Time now() const { return environment_.clock->Now(); }
  void Ask();
  void OnAnswer(const absl::StatusOr<v1::GetStatusResponse>& answer);
  // Shows what there is. Ends the view when nobody can see it.
  void Show();
  void ShowBlock();
  void Draw();
  // Why what is shown is old; empty: it is not.
  std::string Trouble() const;
  std::string JsonLine() const;
  void End(int status) { exit_status_ = exit_status_.value_or(status); }

  const Environment& environment_;
  const TopFlags flags_;
  const bool draws_;
  std::optional<Screen> screen_;
  TopRates rates_;
  // As last heard, when, and why no more was heard since.
  v1::GetStatusResponse status_;
  std::optional<absl::Time> heard_time_;
  absl::Status error_;
  bool asked_ = false;
  absl::Time ask_time_ = absl::InfinitePast();
  int shown_ = 0;
  // Set when it is to end.
  std::optional<int> exit_status_;
  // Behind what its callbacks use, so that it goes first.
  std::unique_ptr<client::Client> client_;
};

int TopVerb::Execute() {
  auto client = flags_.connection.Connect();
  if (!client.ok()) return Fail(client.status().message());
  client_ = *std::move(client);
  absl::Time draw_time = absl::InfiniteFuture();
  while (!exit_status_.has_value()) {
    if (!asked_ && now() >= ask_time_) Ask();
    const absl::Time until =
        asked_ ? draw_time : std::min(ask_time_, draw_time);
    const EventQueue::Wakeup wakeup = environment_.events->Wait(
        until - now(), screen_.has_value() ? screen_->keys_fd() : -1);
    if (wakeup.signal != 0) End(kExitSignal + wakeup.signal);
    if (wakeup.readable && screen_.has_value()) {
      const std::string keys = screen_->ReadKeys();
      if (keys.find_first_of("qQ") != std::string::npos) End(0);
    }
    if (screen_.has_value() && !exit_status_.has_value()) {
      if (wakeup.resized || now() >= draw_time) Draw();
      draw_time = now() + kTopDrawInterval;
    }
  }
  client_.reset();
  screen_.reset();
  // Told where the terminal is as it was.
  if (!error_.ok() && *exit_status_ == kExitVigil) {
    return Fail(flags_.connection.Explain(error_));
  }
  return *exit_status_;
}

void TopVerb::Ask() {
  asked_ = true;
  ask_time_ = now() + flags_.interval;
  client_->Call(v1::GetStatusRequest(),
                [this](absl::StatusOr<v1::GetStatusResponse> answer) {
                  environment_.events->Post(
                      [this, answer = std::move(answer)] { OnAnswer(answer); });
                },
                {.timeout = kTopCallTimeout});
}

void TopVerb::OnAnswer(const absl::StatusOr<v1::GetStatusResponse>& answer) {
  asked_ = false;
  error_ = answer.status();
  if (answer.ok()) {
    status_ = *answer;
    heard_time_ = now();
    rates_.Record(status_, *heard_time_);
  } else if (!heard_time_.has_value()) {
    // Later a lost coordinator is waited for; one that is not there is told.
    End(kExitVigil);
    return;
  }
  Show();
}

std::string TopVerb::Trouble() const {
  const absl::Duration silence = now() - *heard_time_;
  if (!error_.ok()) {
    return absl::StrCat("not reachable since ", HumanDuration(silence), ": ",
                        flags_.connection.Reason(error_));
  }
  if (silence < flags_.interval + kTopSilenceMax) return "";
  return absl::StrCat("no answer since ", HumanDuration(silence));
}

void TopVerb::Show() {
  if (!draws_) {
    ShowBlock();
    return;
  }
  if (!screen_.has_value()) screen_.emplace();
  Draw();
}

void TopVerb::Draw() {
  const TerminalSize size = SizeOfStdout();
  const absl::Status drawn =
      screen_->Draw(RenderTop({.address = flags_.connection.address(),
                               .status = status_,
                               .rates = &rates_,
                               .now = now(),
                               .trouble = Trouble(),
                               .columns = static_cast<size_t>(size.columns),
                               .rows = static_cast<size_t>(size.rows)},
                              environment_.StyleOfStdout()),
                    size);
  if (!drawn.ok()) {
    error_ = absl::OkStatus();
    End(FailToPrint(drawn));
  }
}

void TopVerb::ShowBlock() {
  int printed = 0;
  if (flags_.jsonl) {
    printed = Print(JsonLine());
  } else if (!error_.ok()) {
    Fail(absl::StrCat("the coordinator is ", Trouble()));
  } else {
    const Style style = environment_.StyleOfStdout();
    std::string text = FormatStatus(status_, now(), style);
    if (!flags_.once) {
      text = absl::StrCat(shown_ > 0 ? "\n" : "",
                          style.Dim(HumanTime(now(), environment_.zone)),
                          rates_.known()
                              ? absl::StrFormat("  %.1f jobs/s, %.1f tokens/s",
                                                rates_.jobs_per_second(),
                                                rates_.tokens_per_second())
                              : "",
                          "\n", text);
    }
    printed = Print(text);
  }
  ++shown_;
  if (printed != 0) {
    error_ = absl::OkStatus();
    End(printed);
  }
  if (flags_.once || shown_ == flags_.count) {
    End(error_.ok() ? 0 : kExitVigil);
  }
}

std::string TopVerb::JsonLine() const {
  std::string line = absl::StrCat(
      "{\"time\":", JsonString(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now(),
                                                absl::UTCTimeZone())));
  if (!error_.ok()) {
    return absl::StrCat(line, ",\"error\":", JsonString(Trouble()), "}\n");
  }
  if (rates_.known()) {
    absl::StrAppendFormat(
        &line, ",\"jobs_per_second\":%.3f,\"tokens_per_second\":%.3f",
        rates_.jobs_per_second(), rates_.tokens_per_second());
  }
  return absl::StrCat(
      line, ",\"status\":", ToJson(status_, JsonLayout::kOneLine), "}\n");
}

}  // namespace

int Top(const std::vector<std::string>& arguments,
        const Environment& environment) {
  TopFlags flags;
  Verb verb(FlagSet::Positionals::kAnywhere, "top", "top [flags]", kAbout);
  flags.AddTo(verb.flags());
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (!words.empty()) {
    return Fail(absl::StrCat("`", words[0],
                             "` is not wanted here; to look at one job: vigil "
                             "explain ",
                             words[0]));
  }
  if (flags.once && flags.count > 0) {
    return Fail("--once and --count exclude each other");
  }
  if (absl::Status status = flags.connection.Resolve(environment);
      !status.ok()) {
    return Fail(status.message());
  }
  return TopVerb(environment, std::move(flags)).Execute();
}

}  // namespace vigil::cli
