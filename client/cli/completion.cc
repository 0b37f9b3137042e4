#include "client/cli/completion.h"

#include "absl/strings/str_cat.h"
#include "client/cli/format.h"
#include "client/cli/nearest.h"
#include "client/cli/verb.h"

namespace vigil::cli {
namespace {

constexpr char kAbout[] =
    "Prints a script that has a shell complete verbs, flags, their values, "
    "and\n"
    "ids of what runs. It asks the `vigil` that is typed, so it need not be\n"
    "made anew with a new version.\n"
    "\n"
    "  bash  . <(vigil completion bash)            # in ~/.bashrc\n"
    "  zsh   . <(vigil completion zsh)             # in ~/.zshrc, after "
    "compinit\n"
    "  fish  vigil completion fish | source        # in "
    "~/.config/fish/config.fish\n"
    "\n"
    "Exit status: 0, or 125 for another shell.";

// COMP_WORDS is split at = and : and @ too, which belong to words of ours: what
// stands together is one word. And what is before the last of them is no part
// of what bash replaces.
constexpr char kBash[] =
    R"sh(# Completion of vigil for bash. Made by `vigil completion bash`.
_vigil() {
  local rest=${COMP_LINE:0:COMP_POINT} word apart line i
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    word=${rest#"${rest%%[![:space:]]*}"}
    apart=${rest%"$word"}
    word=${word:0:${#COMP_WORDS[i]}}
    if ((i == 0)) || [[ -n $apart ]]; then
      words+=("$word")
    else
      words[${#words[@]}-1]+=$word
    fi
    rest=${rest#"$apart$word"}
  done
  local current=${words[${#words[@]}-1]} before=
  local -a found=()
  if [[ $current == *[=:@]* ]]; then before=${current%"${current##*[=:@]}"}; fi
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) mapfile -t found < <(compgen -f -- "${current#"$before"}")
        COMPREPLY+=("${found[@]}")
        compopt -o filenames ;;
      :directories) mapfile -t found < <(compgen -d -- "${current#"$before"}")
        COMPREPLY+=("${found[@]}")
        compopt -o filenames ;;
      :programs) mapfile -t found < <(compgen -c -- "$current")
        COMPREPLY+=("${found[@]}") ;;
      *) word=${line%%$'\t'*}
        if [[ $word == *= ]]; then compopt -o nospace; fi
        COMPREPLY+=("${word#"$before"}") ;;
    esac
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _vigil vigil
)sh";

constexpr char kZsh[] = R"sh(#compdef vigil
# Completion of vigil for zsh. Made by `vigil completion zsh`.
_vigil() {
  local line word help
  local -a open closed open_shown closed_shown
  for line in "${(@f)$(${(Q)words[1]} __complete "${(@Q)words[2,CURRENT-1]}" \
      "$PREFIX" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) compset -P '--*='; _files ;;
      :directories) compset -P '--*='; _files -/ ;;
      :programs) _command_names -e ;;
      *)
        word=${line%%$'\t'*} help=${line#*$'\t'}
        [[ -n $help ]] && help="$word  -- $help" || help=$word
        if [[ $word == *= ]]; then
          open+=("$word") open_shown+=("$help")
        else
          closed+=("$word") closed_shown+=("$help")
        fi ;;
    esac
  done
  (( $#open )) && compadd -l -S '' -d open_shown -a open
  (( $#closed )) && compadd -l -d closed_shown -a closed
  return 0
}
if [[ $funcstack[1] == _vigil ]]; then
  _vigil "$@"
else
  compdef _vigil vigil
fi
)sh";

constexpr char kFish[] =
    R"sh(# Completion of vigil for fish. Made by `vigil completion fish`.
function __vigil_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l before (string match -r -- '^--[^=]*=@?' $current)
    set -l value (string replace -r -- '^--[^=]*=@?' '' $current)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                printf "$before%s\n" (__fish_complete_path "$value")
            case :directories
                printf "$before%s\n" (__fish_complete_directories "$value")
            case :programs
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c vigil -f -a '(__vigil_complete)'
)sh";

}  // namespace

int Completion(const std::vector<std::string>& arguments,
               const Environment& environment) {
  Verb verb(FlagSet::Positionals::kAnywhere, "completion",
            "completion bash|zsh|fish", kAbout);
  std::vector<std::string> words;
  if (auto status = verb.Parse(arguments, environment, &words)) return *status;
  if (words.size() != 1) {
    return Fail("completion wants the name of a shell: bash, zsh or fish");
  }
  const std::string& shell = words[0];
  if (shell == "bash") return Print(kBash);
  if (shell == "zsh") return Print(kZsh);
  if (shell == "fish") return Print(kFish);
  const std::string nearest = Nearest(shell, {"bash", "zsh", "fish"});
  return Fail(absl::StrCat(
      "no completion for `", OneLine(shell), "`",
      nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
}

}  // namespace vigil::cli
