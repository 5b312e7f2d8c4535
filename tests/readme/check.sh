#!/usr/bin/env bash
# The programs that README.md and docs/ show are the ones that are compiled: each block that follows
# a comment `<!-- FILE -->` (with a `/` or a `.`) must be FILE, byte for byte. Links to files must lead
# somewhere.
# check.sh SOURCE-FOLDER
set -euo pipefail
cd "$1"
failed=0
complain() {
  echo "$1" >&2
  failed=1
}

check_blocks() {
  local document=$1 file
  for file in $(sed -nE 's/^<!-- ([^ ]*[/.][^ ]*) -->$/\1/p' "$document"); do
    if ! awk -v mark="<!-- $file -->" '
        $0 == mark { found = 1; next }
        found && /^```/ { if (++fences == 2) exit; next }
        found { print }' "$document" | diff -u "$file" - >&2; then
      complain "$document: the block below \"<!-- $file -->\" is not $file"
    fi
  done
}

for document in README.md docs/writing-a-policy.md; do
  grep -qE '^<!-- [^ ]+ -->$' "$document" || complain "$document: no block names the file that it shows"
done
for document in README.md docs/*.md; do
  check_blocks "$document"
  while read -r link; do
    [[ -e $(dirname "$document")/${link%%#*} ]] || complain "$document links to $link, which is not there"
  done < <(grep -oE '\]\([^)# ][^): ]*\)' "$document" | sed -E 's/^\]\((.*)\)$/\1/')
done
exit $failed
