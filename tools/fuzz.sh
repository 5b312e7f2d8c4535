# `./run fuzz`: the targets of fuzz/, one after another.

# The folders of fuzz/ that hold a target.
fuzz_targets() {
  local file
  for file in fuzz/*/fuzzer.cc; do
    basename "$(dirname "$file")"
  done
}

fuzz() {
  local seconds=60 names name share status=0 failed=()
  mapfile -t names < <(fuzz_targets)
  while (($# > 0)); do
    case $1 in
      --help | -h) help && return ;;
      --list) fuzz_targets && return ;;
      --seconds)
        seconds=${2:-}
        [[ $seconds =~ ^[1-9][0-9]{0,6}$ ]] || usage_error "--seconds takes a number, not \"$seconds\""
        shift 2
        ;;
      *)
        [[ " ${names[*]} " == *" $1 "* ]] || usage_error "no fuzz target \"$1\"; there are: $(fuzz_targets | xargs)"
        names=("$1")
        shift
        ;;
    esac
  done
  setup build test fuzz
  configure asan
  compile asan "${names[@]/#/fuzz_}"
  share=$(((seconds + ${#names[@]} - 1) / ${#names[@]}))
  for name in "${names[@]}"; do
    echo "==> fuzz $name for $share s" >&2
    fuzz/fuzz.sh "build/asan/bin/fuzz/$name" "build/fuzz/$name" "-max_total_time=$share" || failed+=("$name")
  done
  echo "Inputs that reach new code are in build/fuzz/TARGET/." >&2
  if ((${#failed[@]} > 0)); then
    echo "FAILED: ${failed[*]}. \`build/asan/bin/fuzz/TARGET build/asan/bin/fuzz/TARGET-crash-…\` repeats it." >&2
    return 1
  fi
}
