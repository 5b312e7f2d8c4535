# clang-format and clang-tidy over the files that git tracks.

# Also where another user (sudo) runs us than the one who cloned.
tracked() { git -c safe.directory="$PWD" ls-files -- "$@"; }

check_format() { tracked '*.cc' '*.h' '*.proto' | xargs clang-format --dry-run -Werror; }

apply_format() { tracked '*.cc' '*.h' '*.proto' | xargs clang-format -i; }

# What all results depend on besides the file itself.
tidy_base_key() {
  {
    clang-tidy --version
    cat .clang-tidy tools/lint.sh
    tracked '*.h' '*.proto' 'cmake/*' CMakeLists.txt | xargs cat
  } | sha256sum
}

# Prints nothing and leaves a stamp for a clean file, so that only what changed is checked again.
tidy_one() {
  local file=$1 stamp output
  stamp=build/lint/clean/$( (echo "$tidy_key"; echo "$file"; cat "$file") | sha256sum | cut -c1-64)
  [[ -e $stamp ]] && return
  if output=$(clang-tidy -p build/lint --quiet "$file" 2>&1); then
    touch "$stamp"
  else
    echo "$output"
    return 1
  fi
}

tidy() {
  mkdir -p build/lint/clean
  tidy_key=$(tidy_base_key)
  export tidy_key
  export -f tidy_one
  local file
  for file in $(tracked '*.cc'); do
    # Only what the build compiles has known flags.
    if grep -qF "\"$PWD/$file\"" build/lint/compile_commands.json; then
      printf '%s\n' "$file"
    fi
  done | xargs -P "$(nproc)" -I{} bash -c 'tidy_one {}'
}

lint() {
  step format "Run ./run fmt." check_format
  if [[ ! -e build/lint/build.ninja ]]; then
    step configure-lint "The message says what is missing or does not fit." \
      cmake --preset dev -B build/lint -DTURNOUT_BENCHMARKS=ON
  fi
  step generate "protoc's message says what is wrong." ninja -C build/lint turnout_generated
  step tidy "Mend what clang-tidy names; .clang-tidy says what is checked." tidy
}
