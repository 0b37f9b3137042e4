#include "client/cli/resume_file.h"

#include <cerrno>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "client/cli/batch_summary.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace vigil::cli {
namespace {

uint64_t HashOf(const std::string& text) {
  return std::hash<std::string>()(text);
}

}  // namespace

absl::StatusOr<ResumeFile> ResumeFile::Read(const std::string& path) {
  ResumeFile file;
  file.path_ = path;
  std::ifstream stream(path);
  if (!stream) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read `", path, "`"));
  }
  std::string line;
  int64_t bad_line = 0;
  absl::Status bad;
  for (int64_t number = 1; std::getline(stream, line); ++number) {
    file.cut_off_ = stream.eof();
    if (line.empty()) continue;
    absl::Status status = file.AddLine(line);
    if (status.ok() || !bad.ok()) continue;
    bad_line = number;
    bad = status;
  }
  if (stream.bad()) {
    return absl::DataLossError(absl::StrCat("cannot read all of `", path, "`"));
  }
  if (!bad.ok() && file.items_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", path, "`, line ", bad_line, ": ", bad.message(),
                     "; give a file that `vigil batch -o json` wrote"));
  }
  return file;
}

absl::Status ResumeFile::AddLine(const std::string& line) {
  google::protobuf::Struct fields;
  if (!google::protobuf::util::JsonStringToMessage(line, &fields).ok()) {
    return absl::InvalidArgumentError("no JSON object");
  }
  const auto& values = fields.fields();
  const auto index = values.find("index");
  const auto item = values.find("item");
  const auto state = values.find("state");
  if (index == values.end() || item == values.end() || state == values.end() ||
      index->second.number_value() < 1) {
    return absl::InvalidArgumentError(
        "no `index`, `item` and `state` of an item");
  }
  items_[static_cast<int64_t>(index->second.number_value())] = {
      HashOf(item->second.string_value()),
      state->second.string_value() == "SUCCEEDED"};
  return absl::OkStatus();
}

absl::StatusOr<bool> ResumeFile::Succeeded(const Item& item) const {
  const auto known = items_.find(item.index);
  if (known == items_.end()) return false;
  if (known->second.item_hash != HashOf(ItemText(item))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--resume: item ", item.index, " is not the one that `", path_,
        "` has a result of; give the same items, in the "
        "same order"));
  }
  return known->second.succeeded;
}

}  // namespace vigil::cli
