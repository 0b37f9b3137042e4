#include "client/cli/generator/flags.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/command/byte_count.h"
#include "client/cli/generator/comments.h"
#include "client/cli/generator/limits.h"
#include "client/cli/generator/names.h"
#include "client/cli/generator/reserved_flags.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

std::string EnumValueName(const EnumDescriptor& type) {
  std::string values = absl::StrJoin(EnumValues(type), "|");
  // One alone would look like a name.
  if (absl::StrContains(values, "|") && values.size() <= kEnumValuesLengthMax) {
    return values;
  }
  return absl::AsciiStrToUpper(absl::StrJoin(Words(type.name()), "_"));
}

// One message of google.protobuf has a form of its own in JSON, and none of
// them has fields that a person would set one by one.
bool IsWellKnown(const Descriptor& message) {
  return message.file()->package() == "google.protobuf";
}

std::string MessageValueName(const Descriptor& message) {
  if (message.well_known_type() == Descriptor::WELLKNOWNTYPE_DURATION) {
    return "DURATION";
  }
  if (message.well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP) {
    return "TIME";
  }
  return "JSON";
}

// What the field says, or else what its type does.
std::string HelpOf(const FieldDescriptor& field) {
  std::string comment = CommentOf(field);
  if (!comment.empty() || field.is_map()) {
    return comment;
  }
  if (field.enum_type() != nullptr) {
    return FirstSentence(CommentOf(*field.enum_type()));
  }
  if (field.message_type() != nullptr && !IsWellKnown(*field.message_type())) {
    return FirstSentence(CommentOf(*field.message_type()));
  }
  return "";
}

class Collector {
 public:
  Collector(const MethodDescriptor& method, Problems* problems)
      : problems_(problems),
        paged_(method.input_type()->FindFieldByName("page_token") != nullptr &&
               method.output_type()->FindFieldByName("next_page_token") !=
                   nullptr) {}

  std::vector<Flag> Collect(const Descriptor& request) {
    AddMessage(request, "", "");
    return std::move(flags_);
  }

 private:
  void AddMessage(const Descriptor& message, absl::string_view name,
                  absl::string_view path) {
    within_.push_back(&message);
    for (int i = 0; i < message.field_count(); ++i) {
      AddField(*message.field(i), name, path);
    }
    within_.pop_back();
  }

  void AddField(const FieldDescriptor& field, absl::string_view name,
                absl::string_view path) {
    const v1::CliField& options = field.options().GetExtension(v1::cli_field);
    const bool has_flags = HasFlags(field);
    if (options.flatten() && (options.hidden() || !has_flags)) {
      problems_->Add(field,
                     "(cli_field).flatten is for a message with flags of its "
                     "own, of which there is one");
    }
    if (options.hidden() || IsPaging(field)) {
      return;
    }
    const std::string field_path = absl::StrCat(path, field.name());
    const std::string field_name = absl::StrCat(name, FlagPart(field.name()));
    if (!has_flags) {
      AddFlag(field, field_name, field_path);
    } else if (options.flatten()) {
      AddMessage(*field.message_type(), name, absl::StrCat(field_path, "."));
    } else {
      AddMessage(*field.message_type(), absl::StrCat(field_name, "."),
                 absl::StrCat(field_path, "."));
    }
  }

  // Whether a field is a message that is set field by field.
  bool HasFlags(const FieldDescriptor& field) const {
    const Descriptor* message = field.message_type();
    return message != nullptr && !field.is_repeated() &&
           !IsWellKnown(*message) && message->field_count() > 0 &&
           within_.size() < kFlagDepthMax &&
           !absl::c_linear_search(within_, message);
  }

  // The command line turns the pages by itself.
  bool IsPaging(const FieldDescriptor& field) const {
    return paged_ && within_.size() == 1 &&
           (field.name() == "page_size" || field.name() == "page_token");
  }

  void AddFlag(const FieldDescriptor& field, const std::string& name,
               const std::string& path) {
    if (IsReservedFlag(name)) {
      problems_->Add(field,
                     absl::StrCat("its flag --", name,
                                  " is the command line's own; give the field "
                                  "another name, or no flag by "
                                  "(cli_field).hidden"));
      return;
    }
    const auto [first, is_new] = fields_.emplace(name, &field);
    if (!is_new) {
      problems_->Add(
          field,
          absl::StrCat("its flag --", name, " is also that of ",
                       first->second->full_name(), " (", Place(*first->second),
                       "); give one of them another "
                       "name, or no flag by (cli_field).hidden"));
      return;
    }
    flags_.push_back({.name = name,
                      .path = path,
                      .value = ValueName(field),
                      .help = HelpOf(field),
                      .field = &field});
  }

  Problems* problems_;
  // The answer comes in pages.
  bool paged_;
  // The messages around the field, the request first.
  std::vector<const Descriptor*> within_;
  absl::flat_hash_map<std::string, const FieldDescriptor*> fields_;
  std::vector<Flag> flags_;
};

}  // namespace

std::string ValueName(const FieldDescriptor& field) {
  if (field.is_map()) {
    return field.message_type()->map_value()->message_type() == nullptr
               ? "KEY=VALUE"
               : "JSON";
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return CountsBytes(field.name()) ? "SIZE" : "N";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "NUMBER";
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.is_repeated() ? "true|false" : "";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumValueName(*field.enum_type());
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "BYTES" : "TEXT";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageValueName(*field.message_type());
  }
  return "";
}

std::vector<Flag> RequestFlags(const MethodDescriptor& method,
                               Problems* problems) {
  return Collector(method, problems).Collect(*method.input_type());
}

}  // namespace vigil::cli::generator
