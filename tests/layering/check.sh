#!/usr/bin/env bash
# check.sh ROOT: every #include under ROOT's src/ and include/ obeys layers.txt, and the public
# headers stay short. Prints each violation as file:line; status 1 if there is any.
set -euo pipefail
table=$(dirname "$(readlink -f "$0")")/layers.txt
cd "$1"

find src include \( -name '*.h' -o -name '*.cc' \) -print0 | sort -z |
  xargs -0 grep -Hn '' | awk -v table="$table" '
  function library_of(path) {
    if (path ~ /^(src\/core|third_party|upb)\//) return "grpc-internals"
    if (path ~ /^grpc(pp|\+\+)?\//) return "grpc"
    if (path ~ /^(google\/protobuf|proto)\// || path ~ /\.pb\.h$/) return "protobuf"
    if (path ~ /^nlohmann\//) return "json"
    if (path ~ /^spdlog\//) return "spdlog"
    if (path ~ /^CLI\//) return "cli11"
    if (path ~ /^xxhash\.h$/) return "xxhash"
    if (path ~ /^re2\//) return "re2"
    if (path ~ /^zlib\.h$/) return "zlib"
    return ""
  }
  function row_of(file,   folder) {
    for (folder = file; sub(/\/[^\/]*$/, "", folder);) if (folder in folders) return folder
    return ""
  }
  function violation(what) { print where ": " what; bad = 1 }

  BEGIN {
    while ((getline line < table) > 0) {
      if (line ~ /^(#|[[:space:]]*$)/) continue
      split(line, cell, "|")
      gsub(/[[:space:]]/, "", cell[1])
      folders[cell[1]] = " " cell[2] " "
      libraries[cell[1]] = " " cell[3] " "
    }
  }
  {
    file = $0; sub(/:.*/, "", file)
    rest = substr($0, length(file) + 2)
    number = rest; sub(/:.*/, "", number)
    text = substr(rest, length(number) + 2)
    where = file ":" number
    if (file ~ /^include\/turnout\// && number == 200) violation("public headers have less than 200 lines")
    if (text !~ /^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]/) next
    path = text
    sub(/^[^<"]*[<"]/, "", path); sub(/[>"].*/, "", path)
    row = row_of(file)
    if (row == "") { violation("layers.txt does not name this folder"); next }

    library = library_of(path)
    if (library != "") {
      if (!index(libraries[row], " " library " ")) violation(row " must not include " library ": " path)
    } else if (path ~ /^src\//) {
      split(path, part, "/")
      own = row; sub(/^src\//, "", own); sub(/\/.*/, "", own)
      if (part[2] != own && !index(folders[row], " " part[2] " "))
        violation(row " must not include src/" part[2] ": " path)
    } else if (path ~ /^tests\// && file !~ /_test\.cc$/) {
      violation("only tests include " path)
    }
  }
  END { exit bad }'
