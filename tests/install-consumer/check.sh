#!/usr/bin/env bash
# check.sh CMAKE BUILD-FOLDER
set -euo pipefail
cmake=$1
build=$2
project=$(dirname "$(readlink -f "$0")")/consumer
work=$(mktemp -d "${TMPDIR:-/tmp}/install-consumer.XXXXXX")
trap 'rm -rf "$work"' EXIT

setting() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
sanitize=$(setting TURNOUT_SANITIZE)
flags=${sanitize:+-fsanitize=$sanitize}

"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
"$cmake" -S "$project" -B "$work/build" -G "$(setting CMAKE_GENERATOR)" \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS="$flags" \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$(setting TURNOUT_CCACHE | grep -v NOTFOUND || true)"
"$cmake" --build "$work/build"
for program in with_static with_shared policies_static policies_shared; do
  echo "run $program"
  "$work/build/$program"
done

library_folder=$(dirname "$(find "$work/prefix" -name libturnout.so)")
export PKG_CONFIG_PATH=$library_folder/pkgconfig
# shellcheck disable=SC2046,SC2086
c++ -std=c++20 $flags "$project/policies.cc" -o "$work/policies" $(pkg-config --cflags --libs turnout)
echo "run policies, built with pkg-config"
LD_LIBRARY_PATH=$library_folder "$work/policies"
