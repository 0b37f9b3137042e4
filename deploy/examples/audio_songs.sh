#!/bin/bash
# Analyses twelve songs chunk by chunk, in two batches one after the other, on a
# coordinator of its own, and prints what came out. See usage below.
set -Eeuo pipefail

# More than one, and yet one song at a time: that is what --sequential is about.
readonly SLOTS=2
readonly BATCHES=(1 2)

usage() {
  cat <<'END_OF_USAGE'
usage: deploy/examples/audio_songs.sh [--help]

Installs the packages that are missing, builds Vigil, makes twelve songs, and
runs them through analyse_audio.py, six in a first batch and six in a second,
one song at a time. One song is slow on purpose (the task waits 2.5 s before
each chunk from the third on, where 2 s are expected) and is cut short after two
slow chunks, with the figures of those that were done.
Exit status 0: each song, in its order, has the figures that the task gives
without Vigil, only the slow one is truncated, and nothing is left running.
END_OF_USAGE
}

case ${1:-} in
  '') ;;
  --help | -h)
    usage
    exit
    ;;
  *)
    echo "audio_songs: unknown argument: $1" >&2
    usage >&2
    exit 64
    ;;
esac

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# shellcheck source=deploy/coordinator.sh
source deploy/coordinator.sh

step='setting up'
batch_pid=
coordinator_pid=
run_dir=

clean_up() {
  trap - ERR
  if [[ -n $batch_pid ]]; then
    vigil_stop 'vigil batch' "$batch_pid" "$run_dir/log"
  fi
  if [[ -n $coordinator_pid ]]; then
    vigil_stop 'the coordinator' "$coordinator_pid" "$run_dir/log"
  fi
  if [[ -n $run_dir ]]; then
    rm -rf -- "$run_dir"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'vigil_say "audio_songs: failed while $step (line $LINENO)"' ERR

build() {
  step='building'
  vigil_say "Building."
  vigil_bazel build --show_progress --show_progress_rate_limit=10 \
    //coordinator:coordinator //worker:worker //worker/slot:slot \
    //client/cli:vigil
  bin=$(vigil_bazel info bazel-bin 2>/dev/null)
}

# Runs one batch to its end, and starts no other before.
run_batch() {
  local name=$1 status=0
  vigil_say "Batch ${name#batch}:"
  # In the background, because `wait` ends when a signal arrives.
  "$bin/client/cli/vigil" batch --address="$address" --sequential \
    --task_type=analyse_audio -a "$run_dir/$name.jsonl" --input='{}' -o json \
    </dev/null >"$run_dir/$name.results" &
  batch_pid=$!
  wait "$batch_pid" || status=$?
  batch_pid=
  return "$status"
}

# Fails if a process of Vigil's or of a task's is still there: the former name
# the directory in their command lines, the latter work below it.
check_nothing_left() {
  step='looking for what is left'
  local process command left=0
  for process in /proc/[0-9]*; do
    # It may end meanwhile.
    command=$({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null || true)
    if [[ $command == *"$run_dir"* ||
      $(readlink -- "$process/cwd" || true) == "$run_dir"* ]]; then
      vigil_say "audio_songs: left running: ${process#/proc/} $command"
      left=1
    fi
  done
  return "$left"
}

vigil_setup
build
step='making the songs'
# A socket's path may have 107 bytes: a short directory, only ours.
run_dir=$(mktemp -d /tmp/vigil-songs.XXXXXX)
deploy/examples/make_songs.py "$run_dir"
step='starting the coordinator'
vigil_start_coordinator "$bin" "$run_dir" "$run_dir/log" \
  --local_slots="$SLOTS" --catalog="$PWD/deploy/examples/catalog.textproto"
step='running the batches'
files=()
for batch in "${BATCHES[@]}"; do
  run_batch "batch$batch"
  files+=("$run_dir/batch$batch.jsonl" "$run_dir/batch$batch.results")
done
step='checking the results'
deploy/examples/check_songs.py "${files[@]}"
vigil_stop 'the coordinator' "$coordinator_pid" "$run_dir/log"
coordinator_pid=
check_nothing_left
vigil_say "Every song has the figures that it has without Vigil; only the one" \
  "that is slow on purpose was cut short, and what was done of it is kept."
