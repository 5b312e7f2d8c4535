# Steps that say what they do in one line, and keep what they print in build/log/<step>.log.

# step NAME ADVICE COMMAND…: runs COMMAND (a function of ours, too). If it fails, says which step,
# what it printed last, and ADVICE; then ends the whole run.
step() {
  local name=$1 advice=$2 log=build/log/$1.log started=$SECONDS status=0
  shift 2
  mkdir -p build/log
  printf '==> %s ... ' "$name" >&2
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  if ((status == 0)); then
    printf '%d s\n' $((SECONDS - started)) >&2
    return
  fi
  printf 'FAILED after %d s\n' $((SECONDS - started)) >&2
  tail -n 20 "$log" | sed 's/^/    /' >&2
  printf 'run: the step "%s" failed (status %d). %s\n' "$name" "$status" "$advice" >&2
  printf 'run: all that it printed is in %s\n' "$PWD/$log" >&2
  exit 1
}

# One line, and the status of a wrong command line.
usage_error() {
  printf 'run: %s; see ./run help\n' "$1" >&2
  exit 2
}
