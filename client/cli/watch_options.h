// WatchOptions: how a job or a batch is to be followed. A value,
// thread-compatible; it owns nothing else.
#ifndef VIGIL_CLIENT_CLI_WATCH_OPTIONS_H_
#define VIGIL_CLIENT_CLI_WATCH_OPTIONS_H_

namespace vigil::cli {

struct WatchOptions {
  enum class From {
    // All that is kept.
    kStart,
    // What comes from now on.
    kNow,
  };
  enum class Format {
    // For people.
    kText,
    // The same, with the job or batch as JSON in place of the report.
    kJson,
    // A line of JSON for each event.
    kJsonLines,
  };
  From from = From::kStart;
  Format format = Format::kText;
  // Results of a batch in the order of its items.
  bool in_order = false;
};

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_WATCH_OPTIONS_H_
