#include "client/cli/command/resume_point.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command/command_lookup.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

constexpr char kCursor[] = "cursor";
// How deep a cursor or an id lies in an event: `event.job.job_id`.
constexpr int kDepthMax = 3;

// The first text or bytes of this name in the message or in singular ones
// within it; empty: there is none.
std::string FindText(const Message& message, const std::string& name,
                     int depth) {
  const auto* access = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  access->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->name() == name && !field->is_repeated() &&
        field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return access->GetString(message, field);
    }
  }
  if (depth == 1) return "";
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() ||
        field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    }
    std::string found =
        FindText(access->GetMessage(message, field), name, depth - 1);
    if (!found.empty()) return found;
  }
  return "";
}

bool StreamsFromCursor(const CommandSpec& command) {
  if (command.streaming != Streaming::kServer) return false;
  for (const FlagSpec& flag : command.flags) {
    if (flag.name == kCursor) return command.positionals.size() == 1;
  }
  return false;
}

}  // namespace

ResumePoint::ResumePoint(const NounSpec& noun, const CommandSpec& command,
                         const Message& request)
    : noun_(noun) {
  if (StreamsFromCursor(command)) watch_ = &command;
  for (const CommandSpec& other : noun.commands) {
    if (watch_ == nullptr && StreamsFromCursor(other)) watch_ = &other;
  }
  if (watch_ == nullptr) return;
  id_field_ = std::string(watch_->positionals[0]);
  id_ = FindText(request, id_field_, kDepthMax);
  namespace_ = FindText(request, "namespace", kDepthMax);
}

void ResumePoint::Note(const Message& event) {
  if (watch_ == nullptr) return;
  std::string cursor = FindText(event, kCursor, kDepthMax);
  if (!cursor.empty()) cursor_ = std::move(cursor);
  if (id_.empty()) id_ = FindText(event, id_field_, kDepthMax);
}

std::string ResumePoint::Command() const {
  if (watch_ == nullptr || cursor_.empty() || id_.empty()) return "";
  return absl::StrCat(
      "vigil ", CommandName(noun_, *watch_), " ", id_,
      namespace_.empty() ? "" : absl::StrCat(" --namespace=", namespace_),
      " --cursor=base64:", absl::Base64Escape(cursor_));
}

}  // namespace vigil::cli
