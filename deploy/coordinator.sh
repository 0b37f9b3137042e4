# shellcheck shell=bash
# Starts and stops a coordinator of a script's own; sourced behind
# deploy/setup.sh, whose vigil_say it uses:
#
#   vigil_start_coordinator BIN DIR LOG FLAG...
#                          starts it from below BIN with a socket and its data
#                          in DIR, and waits until it serves; sets
#                          coordinator_pid and address. Where it does not
#                          start, says why and returns 1.
#   vigil_stop NAME PID LOG
#                          asks one process to stop, and sees to it.

readonly VIGIL_READY_SECONDS=30 # With an empty store it takes under 1.
readonly VIGIL_STOP_SECONDS=20  # Tasks get 5 s to stop, then are killed.

vigil_start_coordinator() {
  local bin=$1 dir=$2 log=$3 line=
  shift 3
  # A socket's path may have 107 bytes: DIR is short.
  address=unix:$dir/socket
  mkfifo -- "$dir/ready"
  # In a session of its own: Ctrl+C reaches the script and `vigil batch`, but
  # not the coordinator, which is stopped after them.
  setsid -- "$bin/coordinator/coordinator" --listen="$address" \
    --data_dir="$dir/data" --drain_grace=0 --ready_fd=3 "$@" \
    3>"$dir/ready" </dev/null >"$log" 2>&1 &
  # shellcheck disable=SC2034 # For the script that sources this.
  coordinator_pid=$!
  read -r -t "$VIGIL_READY_SECONDS" line <"$dir/ready" || true
  if [[ -z $line ]]; then
    vigil_say "The coordinator did not start:"
    tail -n 20 -- "$log" >&2
    return 1
  fi
}

vigil_stop() {
  local name=$1 pid=$2 log=$3 i
  kill -TERM "$pid" 2>/dev/null || true
  for ((i = 0; i < VIGIL_STOP_SECONDS * 10; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if kill -KILL "$pid" 2>/dev/null; then
    vigil_say "$name did not stop within $VIGIL_STOP_SECONDS s and was" \
      "killed; see $log"
  fi
  wait "$pid" 2>/dev/null || true
}
