#include "client/cli/generator/surface.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/generator/comments.h"
#include "client/cli/generator/names.h"
#include "client/cli/generator/problems.h"
#include "client/cli/generator/tables.h"
#include "vigil/v1/cli.pb.h"

namespace vigil::cli::generator {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string Verb(const MethodDescriptor& method, absl::string_view noun,
                 Problems* problems) {
  const v1::CliMethod& options = method.options().GetExtension(v1::cli_method);
  if (!options.verb().empty()) {
    if (!IsCommandName(options.verb())) {
      problems->Add(method,
                    absl::StrCat("(cli_method).verb: \"", options.verb(),
                                 "\" is not words of small letters and digits, "
                                 "joined by dashes"));
    }
    return options.verb();
  }
  if (method.service()->method_count() == 1) {
    return "";
  }
  std::string verb = VerbName(method.name(), noun);
  if (verb.empty()) {
    problems->Add(method, absl::StrCat("its name without the noun \"", noun,
                                       "\" is empty; give it a verb by "
                                       "(cli_method).verb"));
  }
  return verb;
}

// A problem of a word's path, or empty.
std::string PositionalProblem(const std::string& path, bool is_last,
                              const std::vector<Flag>& flags) {
  const auto flag = absl::c_find_if(
      flags, [&](const Flag& flag) { return flag.path == path; });
  if (flag == flags.end()) {
    return "no field that has a flag has this path";
  }
  if (flag->field->is_map()) {
    return "a map is no word";
  }
  if (flag->field->is_repeated() && !is_last) {
    return "a repeated field takes all words, so it is the last one";
  }
  return "";
}

std::vector<std::string> Positionals(const MethodDescriptor& method,
                                     absl::string_view noun,
                                     const std::vector<Flag>& flags,
                                     Problems* problems) {
  const v1::CliMethod& options = method.options().GetExtension(v1::cli_method);
  if (options.positionals().empty()) {
    const std::string id =
        absl::StrCat(absl::StrReplaceAll(noun, {{"-", "_"}}), "_id");
    for (const Flag& flag : flags) {
      if (flag.name == id && !flag.field->is_repeated()) {
        return {flag.path};
      }
    }
    return {};
  }
  std::vector<std::string> paths;
  for (const std::string& path : options.positionals()) {
    std::string problem;
    if (absl::c_linear_search(paths, path)) {
      problem = "is there twice";
    } else {
      problem = PositionalProblem(
          path, paths.size() + 1 == size_t(options.positionals_size()), flags);
    }
    if (!problem.empty()) {
      problems->Add(method, absl::StrCat("(cli_method).positionals: \"", path,
                                         "\": ", problem));
    }
    paths.push_back(path);
  }
  return paths;
}

Command MakeCommand(const MethodDescriptor& method, absl::string_view noun,
                    Problems* problems) {
  Command command;
  command.verb = Verb(method, noun, problems);
  command.method = &method;
  command.help = CommentOf(method);
  command.summary = FirstSentence(command.help);
  command.flags = RequestFlags(method, problems);
  command.positionals = Positionals(method, noun, command.flags, problems);
  return command;
}

Noun MakeNoun(const ServiceDescriptor& service, Problems* problems) {
  Noun noun;
  noun.noun = NounName(service.name());
  noun.service = &service;
  noun.help = CommentOf(service);
  noun.summary = FirstSentence(noun.help);
  absl::flat_hash_map<std::string, const MethodDescriptor*> methods;
  for (int i = 0; i < service.method_count(); ++i) {
    Command command = MakeCommand(*service.method(i), noun.noun, problems);
    const auto [first, is_new] = methods.emplace(command.verb, command.method);
    if (!is_new && !command.verb.empty()) {
      problems->Add(
          *command.method,
          absl::StrCat("its command `", noun.noun, " ", command.verb,
                       "` is also that of ", first->second->name(), " (",
                       Place(*first->second),
                       "); give one of them another by (cli_method).verb"));
    }
    noun.commands.push_back(std::move(command));
  }
  return noun;
}

}  // namespace

absl::StatusOr<Surface> MakeSurface(std::vector<const FileDescriptor*> files) {
  absl::c_sort(files, [](const FileDescriptor* a, const FileDescriptor* b) {
    return a->name() < b->name();
  });
  Problems problems;
  CheckTables(files, &problems);
  Surface surface;
  absl::flat_hash_map<std::string, const ServiceDescriptor*> services;
  for (const FileDescriptor* file : files) {
    for (int i = 0; i < file->service_count(); ++i) {
      const ServiceDescriptor& service = *file->service(i);
      if (service.options().GetExtension(v1::cli_service).hidden() ||
          service.method_count() == 0) {
        continue;
      }
      Noun noun = MakeNoun(service, &problems);
      const auto [first, is_new] = services.emplace(noun.noun, &service);
      if (!is_new) {
        problems.Add(service,
                     absl::StrCat("its noun `", noun.noun, "` is also that of ",
                                  first->second->full_name(), " (",
                                  Place(*first->second), ")"));
      }
      surface.push_back(std::move(noun));
    }
  }
  if (!problems.empty()) {
    return absl::InvalidArgumentError(problems.Text());
  }
  return surface;
}

}  // namespace vigil::cli::generator
