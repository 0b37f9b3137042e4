#include "base/catalog.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/catalog_check.h"
#include "base/unique_fd.h"
#include "base/utf8.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace vigil {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

constexpr int kTaskTypesMax = 256;
constexpr absl::string_view kCatalogDir = "{catalog_dir}/";

// Keeps the first error of a parse.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!text_.empty()) return;
    text_ = line < 0
                ? absl::StrCat(": ", message)
                : absl::StrCat(":", line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Where `problem` of task type `index` stands, as ":12"; empty when the text
// does not say (JSON).
std::string LineOf(const TextFormat::ParseInfoTree& root, int index,
                   const CatalogProblem& problem) {
  const google::protobuf::Descriptor* message = v1::TaskType::descriptor();
  const FieldDescriptor* types =
      v1::Catalog::descriptor()->FindFieldByName("task_types");
  int line = root.GetLocation(types, index).line;
  const TextFormat::ParseInfoTree* tree = root.GetTreeForNested(types, index);
  for (size_t i = 0; i < problem.field.size() && tree != nullptr; ++i) {
    const FieldDescriptor* field = message->FindFieldByName(problem.field[i]);
    const bool last = i + 1 == problem.field.size();
    int position = -1;
    if (field->is_repeated()) {
      position = last && problem.index >= 0 ? problem.index : 0;
    }
    const int found = tree->GetLocation(field, position).line;
    if (found >= 0) line = found;
    if (last) break;
    tree = tree->GetTreeForNested(field, position);
    message = field->message_type();
  }
  return line < 0 ? "" : absl::StrCat(":", line + 1);
}

// What a file holds may be quoted in the message.
absl::Status Refuse(const std::string& path, const std::string& problem) {
  constexpr size_t kMessageBytesMax = 4096;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ToUtf8(problem, kMessageBytesMax)));
}

absl::Status Describe(const std::string& path,
                      const TextFormat::ParseInfoTree& root, int index,
                      const std::string& name, const CatalogProblem& problem) {
  std::string field = absl::StrCat("task_types[", index, "]");
  for (const std::string& part : problem.field) {
    absl::StrAppend(&field, ".", part);
  }
  if (problem.index >= 0) absl::StrAppend(&field, "[", problem.index, "]");
  if (!name.empty()) absl::StrAppend(&field, " (\"", name, "\")");
  return Refuse(path, absl::StrCat(LineOf(root, index, problem), ": ", field,
                                   " ", problem.what));
}

absl::Status Parse(const std::string& path, const std::string& text,
                   v1::Catalog* catalog, TextFormat::ParseInfoTree* tree) {
  if (absl::EndsWith(path, ".json")) {
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(text, catalog);
    if (parsed.ok()) return absl::OkStatus();
    return Refuse(path,
                  absl::StrCat(": ", std::string(parsed.message().data(),
                                                 parsed.message().size())));
  }
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(tree);
  if (parser.ParseFromString(text, catalog)) return absl::OkStatus();
  return Refuse(path, error.text());
}

// The directory of `path`, absolute.
absl::StatusOr<std::string> DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "."
                                : slash == 0               ? "/"
                                             : path.substr(0, slash);
  std::array<char, PATH_MAX> real;
  if (realpath(directory.c_str(), real.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, directory);
  }
  return std::string(real.data());
}

void ResolveArgv(const std::string& directory,
                 google::protobuf::RepeatedPtrField<std::string>* argv) {
  for (std::string& argument : *argv) {
    absl::string_view rest = argument;
    if (absl::ConsumePrefix(&rest, kCatalogDir)) {
      argument = absl::StrCat(directory, "/", rest);
    }
  }
  if (argv->empty()) return;
  absl::string_view program = argv->Get(0);
  if (absl::ConsumePrefix(&program, "./")) {
    *argv->Mutable(0) = absl::StrCat(directory, "/", program);
  }
}

void ResolvePaths(const std::string& directory, v1::TaskType* type) {
  ResolveArgv(directory, type->mutable_argv());
  if (type->has_warm_up()) {
    ResolveArgv(directory, type->mutable_warm_up()->mutable_argv());
  }
  const std::string& where = type->working_directory();
  if (!where.empty() && where[0] != '/') {
    type->set_working_directory(
        absl::StrCat(directory, "/", absl::StripPrefix(where, kCatalogDir)));
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, path);
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, path);
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kCatalogBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": is larger than 4 MiB"));
    }
  }
}

}  // namespace

absl::StatusOr<v1::Catalog> LoadCatalog(const std::string& path) {
  if (path.empty()) return v1::Catalog();
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseCatalog(path, *text);
}

absl::StatusOr<v1::Catalog> ParseCatalog(const std::string& path,
                                         const std::string& text) {
  v1::Catalog catalog;
  TextFormat::ParseInfoTree tree;
  absl::Status parsed = Parse(path, text, &catalog, &tree);
  if (!parsed.ok()) return parsed;
  if (catalog.task_types_size() > kTaskTypesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": task_types must have at most 256 entries"));
  }
  absl::StatusOr<std::string> directory = DirectoryOf(path);
  if (!directory.ok()) return directory.status();
  absl::flat_hash_set<std::string> names;
  for (int i = 0; i < catalog.task_types_size(); ++i) {
    v1::TaskType* type = catalog.mutable_task_types(i);
    std::optional<CatalogProblem> problem = CheckTaskType(*type);
    if (!problem.has_value() && !names.insert(type->name()).second) {
      problem = CatalogProblem{{"name"}, -1, "is there twice"};
    }
    if (problem.has_value()) {
      return Describe(path, tree, i, type->name(), *problem);
    }
    ResolvePaths(*directory, type);
  }
  return catalog;
}

}  // namespace vigil
