#!/usr/bin/env bash
# What docs/reliability.md refers to exists: each test `Suite.Test`, `.Test` of the suite before it
# and `Suite.*`, each test program, and each fault; and its matrix has every fault that there is,
# described as the harness describes it.
# check.sh SOURCE-FOLDER TURNOUT_FAULTS
set -euo pipefail
cd "$1"
turnout_faults=$2
page=docs/reliability.md
failed=0
complain() {
  echo "$page: $1" >&2
  failed=1
}

# The rows of the table below a heading, `|` before and after each cell.
rows_below() { awk -v heading="$1" '/^#/ { here = $0 == heading } here && /^\| /' "$page"; }
# What stands between backticks in a cell, one a line.
names_in() { cut -d '|' -f "$1" | { grep -oE '`[^`]+`' || true; } | tr -d '`'; }

# Suite.Test, of all tests.
tests=$(find src tests bench -name '*_test.cc' -exec cat {} + | tr -d ' \n' |
  grep -oE '\bTEST(_F|_P)?\(\w+,\w+\)' | sed -E 's/.*\((.*),(.*)\)/\1.\2/' | sort -u)
faults=$("$turnout_faults" --list | awk '{ print $1 }')

is_test() {
  local pattern=${1//./\\.}
  grep -qxE "${pattern//\*/.*}" <<<"$tests"
}
is_fault() { grep -qxF -- "$1" <<<"$faults"; }
# As its CMakeLists.txt says: by its name, or as the theme of an integration test.
is_program() {
  grep -rqE "turnout(_tsan)?_test\($1\b" --include=CMakeLists.txt src tests bench ||
    [[ -e tests/integration/$1.cc ]]
}

promises=$(rows_below '### By which test')
seen=0
while read -r name; do
  seen=$((seen + 1))
  case $name in
    .*) name=$suite$name ;;
    *.*) suite=${name%%.*} ;;
  esac
  case $name in
    *.*) is_test "$name" || complain "there is no test $name" ;;
    *) is_fault "$name" || complain "there is no fault $name" ;;
  esac
done < <(names_in 4 <<<"$promises")
((seen > 50)) || complain "the table of promises names $seen tests"

while read -r program; do
  is_program "$program" || complain "there is no test program $program"
done < <(names_in 3 <<<"$promises" | sort -u)

matrix=$(rows_below '## The fault matrix')
while read -r fault what; do
  [[ $fault == random ]] || grep -qF "| $fault | $what |" <<<"$matrix" ||
    complain "the matrix lacks a row \"| $fault | $what |\""
done < <("$turnout_faults" --list)
while read -r fault; do
  is_fault "$fault" || [[ $fault == random* ]] ||
    complain "the matrix has a row \"$fault\", which is no fault"
done < <(grep -vE '^\| (fault|---) ' <<<"$matrix" | cut -d '|' -f 2 | sed -E 's/^ | $//g')
exit $failed
