#!/usr/bin/env bash
# fuzz.sh PROGRAM INPUTS [LIBFUZZER-OPTION...]: begins with the corpus of the target that PROGRAM is
# named after, those in the folder INPUTS, and always the same seed. Inputs that reach new code are
# added to INPUTS; with "-" they are forgotten, so that every run is alike. Inputs that crash are kept
# as PROGRAM-crash-*: `PROGRAM FILE` repeats one.
set -euo pipefail
program=$1
inputs=$2
shift 2
target=$(dirname "$(readlink -f "$0")")/${program##*/}
if [[ $inputs == - ]]; then
  inputs=$(mktemp -d "${TMPDIR:-/tmp}/fuzz.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$inputs'" EXIT
fi
mkdir -p "$inputs"
"$program" -seed=1 -dict="$target/words.dict" -max_len=4096 -timeout=20 -rss_limit_mb=4096 \
  -print_final_stats=1 -artifact_prefix="$program-" "$@" "$inputs" "$target/corpus"
