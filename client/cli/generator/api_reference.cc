#include "client/cli/generator/api_reference.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "client/cli/generator/comments.h"
#include "client/cli/generator/markdown.h"
#include "client/cli/generator/names.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::ServiceDescriptor;

// "batch.proto" of vigil/v1/batch.proto.
std::string BaseName(const FileDescriptor& file) {
  return file.name().substr(file.name().rfind('/') + 1);
}

class Page {
 public:
  Page(std::vector<const FileDescriptor*> files, absl::string_view update)
      : files_(std::move(files)), update_(update) {}

  std::string Write() {
    Visit();
    // What links lead to is known only now.
    text_.clear();
    Visit();
    return text_;
  }

 private:
  void Visit() {
    AddIntroduction();
    for (const FileDescriptor* file : files_) {
      for (int i = 0; i < file->service_count(); ++i) {
        AddService(*file->service(i));
      }
    }
    for (const FileDescriptor* file : files_) {
      if (file->message_type_count() + file->enum_type_count() == 0) {
        continue;
      }
      AddHeading(2, BaseName(*file), file->name());
      for (int i = 0; i < file->message_type_count(); ++i) {
        AddMessage(*file->message_type(i));
      }
      for (int i = 0; i < file->enum_type_count(); ++i) {
        AddEnum(*file->enum_type(i));
      }
    }
  }

  void AddIntroduction() {
    AddHeading(1, "Reference of the API", "");
    text_ +=
        Wrapped(absl::Substitute(
                    "Made of the comments in the protos of `$0`, which are "
                    "what to change; then run `$1`.",
                    files_.empty() ? "" : files_[0]->package(), update_),
                0);
    text_ += "\n";
    for (const FileDescriptor* file : files_) {
      for (int i = 0; i < file->service_count(); ++i) {
        const ServiceDescriptor& service = *file->service(i);
        std::vector<std::string> methods;
        for (int j = 0; j < service.method_count(); ++j) {
          methods.push_back(
              Link(service.method(j)->name(), service.method(j)->full_name()));
        }
        text_ += Item(absl::StrCat(Link(service.name(), service.full_name()),
                                   ": ", absl::StrJoin(methods, ", ")),
                      "", 0);
      }
    }
    std::vector<std::string> links;
    for (const FileDescriptor* file : files_) {
      if (file->message_type_count() + file->enum_type_count() > 0) {
        links.push_back(Link(BaseName(*file), file->name()));
      }
    }
    text_ +=
        Item(absl::StrCat("Messages and enums: ", absl::StrJoin(links, ", ")),
             "", 0);
  }

  void AddHeading(int level, const std::string& text,
                  const std::string& full_name) {
    const bool apart = text_.empty() || absl::EndsWith(text_, "\n\n");
    absl::StrAppend(&text_, apart ? "" : "\n", std::string(level, '#'), " ",
                    text, "\n\n");
    anchors_[full_name] = Anchor(text);
  }

  std::string Link(const std::string& text, const std::string& full_name) {
    const auto anchor = anchors_.find(full_name);
    return anchor == anchors_.end()
               ? absl::StrCat("`", text, "`")
               : absl::StrCat("[", text, "](#", anchor->second, ")");
  }

  template <typename Type>
  std::string TypeLink(const Type& type) {
    return anchors_.contains(type.full_name())
               ? Link(ShortName(type), type.full_name())
               : absl::StrCat("`", type.full_name(), "`");
  }

  // Keeps the list of a comment's end apart from the one that follows.
  void BeginList() {
    if (absl::EndsWith(text_, "\n\n")) {
      return;
    }
    const size_t last = text_.rfind('\n', text_.size() - 2) + 1;
    const absl::string_view line = absl::string_view(text_).substr(last);
    if (absl::StartsWith(line, "- ") || absl::StartsWith(line, "  ")) {
      text_ += "\n<!-- -->\n";
    }
    text_ += "\n";
  }

  void AddService(const ServiceDescriptor& service) {
    AddHeading(2, ShortName(service), service.full_name());
    text_ += Block(CommentOf(service), 0);
    for (int i = 0; i < service.method_count(); ++i) {
      const MethodDescriptor& method = *service.method(i);
      AddHeading(3, absl::StrCat(service.name(), ".", method.name()),
                 method.full_name());
      text_ +=
          Wrapped(absl::StrCat("Takes ",
                               method.client_streaming() ? "a stream of " : "",
                               TypeLink(*method.input_type()), ", returns ",
                               method.server_streaming() ? "a stream of " : "",
                               TypeLink(*method.output_type()), "."),
                  0);
      const std::string comment = CommentOf(method);
      absl::StrAppend(&text_, comment.empty() ? "" : "\n", Block(comment, 0));
    }
  }

  std::string FieldType(const FieldDescriptor& field) {
    if (field.is_map()) {
      const Descriptor& entry = *field.message_type();
      return absl::StrCat("map of ", FieldType(*entry.map_key()), " to ",
                          FieldType(*entry.map_value()));
    }
    if (field.message_type() != nullptr) {
      return TypeLink(*field.message_type());
    }
    if (field.enum_type() != nullptr) {
      return TypeLink(*field.enum_type());
    }
    return field.type_name();
  }

  void AddField(const FieldDescriptor& field, size_t indent) {
    // "repeated" of a map is how it is sent.
    const absl::string_view label = field.is_map()                 ? ""
                                    : field.is_repeated()          ? "repeated "
                                    : field.has_optional_keyword() ? "optional "
                                                                   : "";
    text_ += Item(
        absl::StrCat("`", field.name(), "` (", label, FieldType(field), ")"),
        CommentOf(field), indent);
  }

  void AddMessage(const Descriptor& message) {
    if (message.options().map_entry()) {
      return;
    }
    AddHeading(3, ShortName(message), message.full_name());
    text_ += Block(CommentOf(message), 0);
    BeginList();
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const OneofDescriptor* oneof = field.real_containing_oneof();
      if (oneof != nullptr && oneof->field(0) == &field) {
        text_ += Item(absl::StrCat("`", oneof->name(), "`, one of these"),
                      CommentOf(*oneof), 0);
      }
      AddField(field, oneof == nullptr ? 0 : 2);
    }
    for (int i = 0; i < message.nested_type_count(); ++i) {
      AddMessage(*message.nested_type(i));
    }
    for (int i = 0; i < message.enum_type_count(); ++i) {
      AddEnum(*message.enum_type(i));
    }
  }

  void AddEnum(const EnumDescriptor& type) {
    AddHeading(3, ShortName(type), type.full_name());
    text_ += Block(CommentOf(type), 0);
    BeginList();
    for (int i = 0; i < type.value_count(); ++i) {
      const EnumValueDescriptor& value = *type.value(i);
      text_ += Item(absl::StrCat("`", value.name(), "` = ", value.number()),
                    CommentOf(value), 0);
    }
  }

  std::vector<const FileDescriptor*> files_;
  absl::string_view update_;
  std::string text_;
  // By full names; of files by theirs.
  absl::flat_hash_map<std::string, std::string> anchors_;
};

}  // namespace

std::string ApiReference(std::vector<const FileDescriptor*> files,
                         absl::string_view update) {
  const FileDescriptor* options = v1::CliService::descriptor()->file();
  files.erase(std::remove_if(files.begin(), files.end(),
                             [&](const FileDescriptor* file) {
                               return file->name() == options->name();
                             }),
              files.end());
  absl::c_sort(files, [](const FileDescriptor* a, const FileDescriptor* b) {
    return a->name() < b->name();
  });
  return Page(std::move(files), update).Write();
}

}  // namespace vigil::cli::generator
