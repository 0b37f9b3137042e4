#!/bin/bash
# Sets this machine up, builds Vigil, and runs its main job on real input: each
# module of the system's Python standard library, with its test suite, is
# rewritten by one job of a warm task. The fallback of a job is its input, so
# that one whose module is malformed is degraded, and its module kept as it is.
# A sample of them is run as a process for each job, too, to compare. See usage
# below; repeatable at will.
set -Eeuo pipefail

readonly SLOTS=2
# Every which module is in the sample, and how often it is run in either way.
readonly SAMPLE_STEP=4 SAMPLE_ROUNDS=2

usage() {
  cat <<'END'
usage: deploy/quickstart.sh [--keep] [--help]

Installs the packages that are missing, builds Vigil, starts a coordinator with
two local slots, runs one job for every module of Python's standard library, and
compares the rate of a warm task with that of a process for each job.
Exit status 0: every job ended as it should, and every module has its output.

  --keep  leave the coordinator running, and say how to reach and stop it

Written anew below ${XDG_STATE_HOME:-~/.local/state}/vigil-quickstart:
  rewritten/       the rewritten modules, and copies of the malformed ones
  results.jsonl    how each job ended, one JSON object a line
  modules.txt      the list of modules; malformed.txt: those that do not compile
  coordinator.log  what the coordinator had to say
END
}

keep=
for argument; do
  case $argument in
    --keep) keep=1 ;;
    --help | -h)
      usage
      exit
      ;;
    *)
      echo "quickstart: unknown argument: $argument" >&2
      usage >&2
      exit 64
      ;;
  esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# shellcheck source=deploy/coordinator.sh
source deploy/coordinator.sh

step='setting up'
batch_pid=
coordinator_pid=
run_dir=
copied=
samples=()

clean_up() {
  trap - ERR
  if [[ -n $batch_pid ]]; then
    vigil_stop 'vigil batch' "$batch_pid" "$output/coordinator.log"
  fi
  if [[ -n $coordinator_pid ]]; then
    vigil_stop 'the coordinator' "$coordinator_pid" "$output/coordinator.log"
  fi
  if [[ -n $run_dir ]]; then
    rm -rf -- "$run_dir"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'vigil_say "quickstart: failed while $step (line $LINENO)"' ERR

build() {
  step='building'
  local start=$SECONDS
  vigil_say "Building. The first time takes some minutes (about 10 on two" \
    "cores); afterwards, seconds."
  vigil_bazel build --show_progress --show_progress_rate_limit=10 \
    //coordinator:coordinator //worker:worker //worker/slot:slot \
    //client/cli:vigil
  bin=$(vigil_bazel info bazel-bin 2>/dev/null)
  vigil=$bin/client/cli/vigil
  vigil_say "Built in $((SECONDS - start)) s."
}

prepare() {
  step='preparing the input'
  output=${XDG_STATE_HOME:-$HOME/.local/state}/vigil-quickstart
  mkdir -p -- "$output"
  # Not the coordinator's, which may be kept: see start_coordinator.
  exec 9>"$output/lock"
  if ! flock -n 9; then
    vigil_say "quickstart: another one is writing to $output"
    exit 1
  fi
  rm -rf -- "$output/rewritten"
  root=$(/usr/bin/python3 -c \
    'import sysconfig; print(sysconfig.get_path("stdlib"))')
  find "$root" \
    -type d '(' -name __pycache__ -o -name '*-packages' ')' -prune -o \
    -name '*.py' -xtype f -print | LC_ALL=C sort >"$output/modules.txt"
}

start_coordinator() {
  step='starting the coordinator'
  # A socket's path may have 107 bytes: a short directory, only ours.
  run_dir=$(mktemp -d /tmp/vigil-quickstart.XXXXXX)
  vigil_start_coordinator "$bin" "$run_dir" "$output/coordinator.log" \
    --local_slots="$SLOTS" \
    --catalog="$PWD/deploy/examples/catalog.textproto" 9>&-
}

# Runs one job for each module listed in LIST and writes into NAME.jsonl how
# they ended, and below NAME/ what they wrote. Adds up the time in
# batch_us[TYPE] and the jobs in batch_jobs[TYPE]. A process for each job has
# its module as an argument, so no input that could be its fallback.
run_batch() {
  local type=$1 list=$2 name=$3 status=0 start input
  local -a job
  case $type in
    inline_variables)
      job=(--ok_reasons=INVALID_INPUT -- --root "$root" --output_dir "$name"
        '{}')
      ;;
    inline_variables_warm)
      input=$(/usr/bin/python3 -c 'import json, sys; print(json.dumps(
        {"root": sys.argv[1], "output_dir": sys.argv[2], "module": "{}"}))' \
        "$root" "$name")
      job=(--input_json="$input" --fallback=input)
      ;;
  esac
  start=${EPOCHREALTIME/[.,]/}
  # In the background, because `wait` ends when a signal arrives.
  "$vigil" batch --address="$address" --task_type="$type" \
    -a "$list" -o json "${job[@]}" </dev/null >"$name.jsonl" &
  batch_pid=$!
  wait "$batch_pid" || status=$?
  batch_pid=
  batch_us[$type]=$((${batch_us[$type]:-0} + ${EPOCHREALTIME/[.,]/} - start))
  batch_jobs[$type]=$((${batch_jobs[$type]:-0} + $(wc -l <"$list")))
  if ((status != 0)); then
    batch_status=$status
  fi
}

run_jobs() {
  step='running the jobs'
  batch_status=0
  local -A batch_us=() batch_jobs=()
  vigil_say "Rewriting $(wc -l <"$output/modules.txt") modules of $root on" \
    "$SLOTS slots; a module that does not compile stays as it is."
  run_batch inline_variables_warm "$output/modules.txt" "$output/rewritten"
  mv -- "$output/rewritten.jsonl" "$output/results.jsonl"
  vigil_say "$(rate inline_variables_warm) jobs/s in warm tasks."
  step='copying the modules that stay as they are'
  copied=$(deploy/examples/copy_degraded.py "$output/results.jsonl")
}

compare_rates() {
  step='comparing the rates'
  local -A batch_us=() batch_jobs=()
  local round type kind
  awk "NR % $SAMPLE_STEP == 0" "$output/modules.txt" >"$run_dir/sample.txt"
  vigil_say "Rewriting each ${SAMPLE_STEP}th of them again, in turn with a" \
    "process for each job and in warm tasks."
  for ((round = 1; round <= SAMPLE_ROUNDS; round++)); do
    for type in inline_variables inline_variables_warm; do
      run_batch "$type" "$run_dir/sample.txt" "$run_dir/$type-$round"
      kind=--sample
      if [[ $type == inline_variables ]]; then
        kind=--plain_sample
      fi
      samples+=("$kind" "$run_dir/$type-$round.jsonl" "$run_dir/$type-$round")
    done
  done
  vigil_say "$(rate inline_variables) jobs/s with a process for each job," \
    "$(rate inline_variables_warm) in warm tasks: $(awk \
      "BEGIN { printf \"%.1f\", ${batch_us[inline_variables]} / \
        ${batch_us[inline_variables_warm]} }") times as many."
}

# Jobs a second of the batches of TYPE so far.
rate() {
  awk "BEGIN { printf \"%.0f\", ${batch_jobs[$1]} / ${batch_us[$1]} * 1e6 }"
}

check_results() {
  step='checking the results'
  deploy/examples/find_malformed.py "$output/modules.txt" \
    >"$output/malformed.txt"
  "$vigil" status --address="$address" -o json \
    >"$run_dir/status.json"
  # The stubs that any Python client would use.
  mkdir -- "$run_dir/stubs"
  protoc -Iproto --python_out="$run_dir/stubs" \
    --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" \
    --grpc_out="$run_dir/stubs" proto/vigil/v1/*.proto
  PYTHONPATH=$run_dir/stubs deploy/examples/count_jobs.py "$address" \
    >"$run_dir/listed.json"
  if ! degraded_job=$(deploy/examples/check_results.py \
    --results="$output/results.jsonl" --status="$run_dir/status.json" \
    --listed="$run_dir/listed.json" \
    --modules="$output/modules.txt" --malformed="$output/malformed.txt" \
    "${samples[@]}" --root="$root" --output_dir="$output/rewritten"); then
    vigil_say "quickstart: the results are not what they should be; see" \
      "$output/results.jsonl and coordinator.log beside it"
    exit 1
  fi
  if ((batch_status != 0)); then
    vigil_say "quickstart: vigil batch ended with status $batch_status"
    exit 1
  fi
  vigil_say "Nothing was lost: all $(wc -l <"$output/modules.txt") modules" \
    "have their output. The $copied that do not compile, and only those," \
    "could not be rewritten (INVALID_INPUT): their jobs gave their input back" \
    "instead, marked degraded, and those modules were copied unchanged. The" \
    "coordinator counts the same, job by job and batch by batch."
}

say_what_next() {
  vigil_say "The modules: $output/rewritten"
  vigil_say "How each job ended: $output/results.jsonl"
  if [[ -z $keep ]]; then
    vigil_say "Next: deploy/quickstart.sh --keep, to look around; README.md," \
      "to run work of your own: $vigil run -- PROGRAM ARG..."
    return
  fi
  vigil_say "The coordinator is still running (pid $coordinator_pid). Next:"
  vigil_say "  export VIGIL_ADDRESS=$address"
  vigil_say "  $vigil status"
  if [[ -n $degraded_job ]]; then
    vigil_say "  $vigil explain $degraded_job    # why it is degraded"
  fi
  vigil_say "  kill $coordinator_pid    # stops it; its data are in $run_dir"
  coordinator_pid=
  run_dir=
}

vigil_setup
build
prepare
start_coordinator
run_jobs
compare_rates
check_results
say_what_next
