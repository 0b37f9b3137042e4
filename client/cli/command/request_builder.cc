#include "client/cli/command/request_builder.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/command/message_text.h"
#include "client/cli/command/method_shape.h"

namespace vigil::cli {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

constexpr char kNamespace[] = "namespace";

// The message within `request` that has the last of the fields that lead there;
// made where it is not set.
Message* HolderOf(const std::vector<const FieldDescriptor*>& fields,
                  Message* request) {
  Message* holder = request;
  for (size_t i = 0; i + 1 < fields.size(); ++i) {
    holder = holder->GetReflection()->MutableMessage(holder, fields[i]);
  }
  return holder;
}

// Puts values into one request and notes what was put where.
class Filler {
 public:
  Filler(const ValueSources& sources, Message* request)
      : sources_(sources), request_(request) {}

  // `shown` is how a person knows the field: "--priority" or "JOB_ID".
  absl::Status Put(absl::string_view path, absl::string_view value,
                   const std::string& shown) {
    const auto fields = FieldsOf(request_->GetDescriptor(), path);
    if (absl::Status status = CheckOneofs(fields, shown); !status.ok()) {
      return status;
    }
    Message* parent = HolderOf(fields, request_);
    const FieldDescriptor* field = fields.back();
    const auto [place, first] =
        values_.emplace(std::string(path), std::string(value));
    if (!first && !field->is_repeated()) {
      return absl::InvalidArgumentError(absl::StrCat(
          shown, " is given twice: `", place->second, "` and `", value, "`"));
    }
    // What the whole request says of it.
    if (first) parent->GetReflection()->ClearField(parent, field);
    const absl::Status status = SetFieldValue(parent, field, value, sources_);
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        absl::StrCat(shown, ": ", status.message()));
  }

 private:
  // Whether the fields are of no oneof that has another one already.
  absl::Status CheckOneofs(const std::vector<const FieldDescriptor*>& fields,
                           const std::string& shown) {
    std::string prefix;
    for (const FieldDescriptor* field : fields) {
      if (const auto* oneof = field->real_containing_oneof()) {
        const auto [member, first] = members_.emplace(
            absl::StrCat(prefix, oneof->name()), Member{field, shown});
        if (!first && member->second.field != field) {
          return absl::InvalidArgumentError(absl::StrCat(
              member->second.shown, " and ", shown, " exclude each other"));
        }
      }
      absl::StrAppend(&prefix, field->name(), ".");
    }
    return absl::OkStatus();
  }

  struct Member {
    const FieldDescriptor* field;
    std::string shown;
  };

  const ValueSources& sources_;
  Message* const request_;
  // By path, the first value of each.
  std::map<std::string, std::string> values_;
  // By where a oneof is, its member that was named.
  std::map<std::string, Member> members_;
};

// Fills in the words that are no flags, each where it belongs.
absl::Status PutWords(const CommandSpec& command, const RequestWords& words,
                      const google::protobuf::Descriptor* request,
                      Filler* filler) {
  size_t next = 0;
  for (const std::string& word : words.positionals) {
    if (next == command.positionals.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", word, "` is not wanted here"));
    }
    const absl::string_view path = command.positionals[next];
    absl::Status status = filler->Put(path, word, PositionalName(path));
    if (!status.ok()) return status;
    if (!FieldsOf(request, path).back()->is_repeated()) ++next;
  }
  return absl::OkStatus();
}

bool HasValue(const Message& message, absl::string_view path) {
  const Message* parent = &message;
  const auto fields = FieldsOf(message.GetDescriptor(), path);
  for (size_t i = 0; i + 1 < fields.size(); ++i) {
    parent = &parent->GetReflection()->GetMessage(*parent, fields[i]);
  }
  return fields.back()->is_repeated() ||
         parent->GetReflection()->HasField(*parent, fields.back());
}

absl::Status DemandPositionals(const CommandSpec& command,
                               const Message& request) {
  for (const absl::string_view path : command.positionals) {
    if (HasValue(request, path)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(PositionalName(path), " is missing"));
  }
  return absl::OkStatus();
}

void FillIfEmpty(const std::string& name, const FieldDescriptor* field,
                 Message* message) {
  const auto* access = message->GetReflection();
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING ||
      field->is_repeated() || access->HasField(*message, field)) {
    return;
  }
  access->SetString(message, field, name);
}

void FillPresent(const std::string& name, Message* message) {
  const auto* access = message->GetReflection();
  const auto* type = message->GetDescriptor();
  if (const auto* field = type->FindFieldByName(kNamespace)) {
    FillIfEmpty(name, field, message);
  }
  std::vector<const FieldDescriptor*> fields;
  access->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      FillPresent(name, access->MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < access->FieldSize(*message, field); ++i) {
      FillPresent(name, access->MutableRepeatedMessage(message, field, i));
    }
  }
}

}  // namespace

absl::Status BuildRequest(const CommandSpec& command, const RequestWords& words,
                          Demand demand, const ValueSources& sources,
                          Message* request) {
  if (words.whole.has_value()) {
    const absl::Status status = ParseMessage(*words.whole, request);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("--from_file: ", status.message()));
    }
  }
  Filler filler(sources, request);
  for (const RequestWords::Given& given : words.flags) {
    absl::Status status = filler.Put(given.flag->path, given.value,
                                     absl::StrCat("--", given.flag->name));
    if (!status.ok()) return status;
  }
  absl::Status status =
      PutWords(command, words, request->GetDescriptor(), &filler);
  if (!status.ok() || demand == Demand::kNothing) return status;
  return DemandPositionals(command, *request);
}

void FillNamespace(const CommandSpec& command, const std::string& name,
                   Message* request) {
  if (name.empty()) return;
  for (const FlagSpec& flag : command.flags) {
    if (flag.name != kNamespace) continue;
    const auto fields = FieldsOf(request->GetDescriptor(), flag.path);
    FillIfEmpty(name, fields.back(), HolderOf(fields, request));
  }
  FillPresent(name, request);
}

std::string PositionalName(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return absl::AsciiStrToUpper(dot == path.npos ? path : path.substr(dot + 1));
}

}  // namespace vigil::cli
