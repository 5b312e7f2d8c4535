#!/usr/bin/env bash
# The programs that the README shows are the ones that are compiled: each block that follows a
# comment `<!-- FILE -->` must be FILE, byte for byte. Links to files must lead somewhere.
# check.sh SOURCE-FOLDER
set -euo pipefail
cd "$1"
failed=0
complain() {
  echo "README.md: $1" >&2
  failed=1
}

files=$(sed -nE 's/^<!-- (.*) -->$/\1/p' README.md)
[[ -n $files ]] || complain "no block names the file that it shows"
for file in $files; do
  if ! awk -v mark="<!-- $file -->" '
      $0 == mark { found = 1; next }
      found && /^```/ { if (++fences == 2) exit; next }
      found { print }' README.md | diff -u "$file" - >&2; then
    complain "the block below \"<!-- $file -->\" is not $file"
  fi
done

for document in README.md docs/*.md; do
  while read -r link; do
    [[ -e $(dirname "$document")/${link%%#*} ]] || complain "$document links to $link, which is not there"
  done < <(grep -oE '\]\([^)#][^):]*\)' "$document" | sed -E 's/^\]\((.*)\)$/\1/')
done
exit $failed
