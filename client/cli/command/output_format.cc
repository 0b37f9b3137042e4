#include "client/cli/command/output_format.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace vigil::cli {
namespace {

constexpr std::pair<const char*, OutputFormat> kFormats[] = {
    {"table", OutputFormat::kTable},         {"wide", OutputFormat::kWide},
    {"json", OutputFormat::kJson},           {"jsonl", OutputFormat::kJsonl},
    {"textproto", OutputFormat::kTextproto}, {"name", OutputFormat::kName},
};

}  // namespace

std::vector<std::string> OutputFormatNames() {
  std::vector<std::string> names;
  for (const auto& format : kFormats) names.push_back(format.first);
  return names;
}

absl::StatusOr<OutputFormat> ParseOutputFormat(absl::string_view name) {
  for (const auto& format : kFormats) {
    if (name == format.first) return format.second;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no output format is called \"", name, "\"; there are ",
                   absl::StrJoin(OutputFormatNames(), ", ")));
}

}  // namespace vigil::cli
