#!/usr/bin/env bash
# check.sh finds a violation of each kind, and nothing in a tree that obeys.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(mktemp -d "${TMPDIR:-/tmp}/layering.XXXXXX")
trap 'rm -rf "$root"' EXIT
failed=0

# expect FILE CONTENT [PATTERN]: a tree with only this file: what check.sh says matches PATTERN, or
# it says nothing if there is none.
expect() {
  local file=$1 content=$2 pattern=${3:-} said status=0
  rm -rf "${root:?}"/*
  mkdir -p "$root/src" "$root/include/turnout" "$root/$(dirname "$file")"
  printf '%b\n' "$content" >"$root/$file"
  said=$("$here/check.sh" "$root" 2>&1) || status=$?
  if [[ -z $pattern && ($status != 0 || -n $said) ]] ||
     [[ -n $pattern && ($status == 0 || ! $said =~ $pattern) ]]; then
    printf '%s, "%s": expected "%s", got status %d: %s\n' "$file" "$content" "$pattern" "$status" "$said"
    failed=1
  fi
}

expect src/balance/a.cc '#include "turnout/picker.h"\n#include "src/model/names.h"\n#include <map>'
expect src/balance/a.cc '#include "absl/status/status.h"\n#include "src/balance/random/random.h"'
expect src/balance/a.cc '#include <grpcpp/grpcpp.h>' 'src/balance/a.cc:1: src/balance must not include grpc'
expect src/balance/random/a.h '\n# include "src/etcd/types.h"' 'random/a.h:2: src/balance must not include src/etcd'
expect src/balance/a.cc '#include <xxhash.h>'
expect src/route/a.cc '#include <xxhash.h>' 'src/route must not include xxhash'
expect src/route/a.cc '#include <google/protobuf/message.h>' 'src/route must not include protobuf'
expect src/model/a.cc '#include "proto/etcd.pb.h"' 'src/model must not include protobuf'
expect src/model/a.cc '#include "src/etcd/types.h"' 'src/model must not include src/etcd'
expect src/base/a.h '#include "src/model/names.h"' 'src/base must not include src/model'
expect src/discovery/a.cc '#include "src/etcd/types.h"'
expect src/discovery/a.cc '#include "src/balance/a.h"' 'src/discovery must not include src/balance'
expect src/etcd/a.cc '#include "src/core/lib/surface/init.h"' 'must not include grpc-internals'
expect src/grpc/a.h '#include "src/core/lib/resolver/resolver.h"' 'src/grpc must not include grpc-internals'
expect src/grpc/v1_51/a.h '#include "src/core/lib/resolver/resolver.h"\n#include "src/balance/a.h"'
expect src/novel/a.cc '#include <map>' 'does not name this folder'
expect src/base/a.cc '#include "tests/support/x.h"' 'only tests include'
expect src/base/a_test.cc '#include "tests/support/x.h"'
expect include/turnout/a.h '#include <string>\n#include "turnout/picker.h"'
expect include/turnout/a.h '#include "src/base/clock.h"' 'include/turnout must not include src/base'
expect include/turnout/a.h '#include <google/protobuf/message.h>' 'must not include protobuf'
expect include/turnout/a.h "$(printf '\\n%.0s' {1..198})"
expect include/turnout/a.h "$(printf '\\n%.0s' {1..199})" 'a.h:200: public headers'
exit $failed
