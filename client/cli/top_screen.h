// How `vigil top` fills a terminal: what of a coordinator's status is on the
// screen, fitted to its size. A pure function, thread-safe; nothing is kept.
#ifndef VIGIL_CLIENT_CLI_TOP_SCREEN_H_
#define VIGIL_CLIENT_CLI_TOP_SCREEN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/format.h"
#include "client/cli/top_rates.h"
#include "vigil/v1/status_service.pb.h"

namespace vigil::cli {

struct TopView {
  std::string address;
  // As last heard.
  v1::GetStatusResponse status;
  const TopRates* rates = nullptr;
  // From which ages are counted.
  absl::Time now;
  // Why the status is old: "not reachable since 12s: ..."; empty: it is not.
  std::string trouble;
  // Of the terminal.
  size_t columns = 0;
  size_t rows = 0;
};

// At most `rows` lines of at most `columns` characters, none of which is a
// control code but for colours. Attempts that were silent longest come first.
std::vector<std::string> RenderTop(const TopView& view, const Style& style);

}  // namespace vigil::cli

#endif  // VIGIL_CLIENT_CLI_TOP_SCREEN_H_
