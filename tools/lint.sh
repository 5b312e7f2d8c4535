# clang-format and clang-tidy over the files that git tracks.

readonly tidy_plugin=$PWD/build/lint/tidy_own_code.so

# Also where another user (sudo) runs us than the one who cloned.
tracked() { git -c safe.directory="$PWD" ls-files -- "$@"; }

check_format() { tracked '*.cc' '*.h' '*.proto' | xargs clang-format --dry-run -Werror; }

apply_format() { tracked '*.cc' '*.h' '*.proto' | xargs clang-format -i; }

# For the very clang that clang-tidy is made of: a plugin shares its data structures.
build_tidy_plugin() {
  local major
  major=$(clang-tidy --version | sed -nE 's/.*version ([0-9]+)\..*/\1/p')
  c++ -std=c++17 -O1 -shared -fPIC -fno-rtti -fno-exceptions -Wall -Wextra -Werror \
    -isystem "/usr/lib/llvm-$major/include" tools/tidy_own_code.cc -o "$tidy_plugin"
}

# Several targets compile some sources, which clang-tidy would then check as often: each once.
write_tidy_commands() {
  mkdir -p build/lint/tidy
  awk '
    /^\{/ { entry = "" }
    { entry = entry $0 "\n" }
    /^ *"file":/ { file = $0 }
    /^\}/ && !seen[file]++ { sub(/\},?\n$/, "}", entry); printf "%s%s", (count++ ? ",\n" : "[\n"), entry }
    END { print "\n]" }' build/lint/compile_commands.json >build/lint/tidy/compile_commands.json
}

prepare_tidy() {
  [[ -e build/lint/build.ninja ]] || cmake --preset dev -B build/lint -DTURNOUT_BENCHMARKS=ON
  ninja -C build/lint turnout_generated
  write_tidy_commands
  [[ $tidy_plugin -nt tools/tidy_own_code.cc ]] || build_tidy_plugin
}

# What all results depend on besides the file itself.
tidy_base_key() {
  {
    clang-tidy --version
    cat .clang-tidy tools/lint.sh tools/tidy_own_code.cc
    tracked '*.h' '*.proto' 'cmake/*' CMakeLists.txt | xargs cat
  } | sha256sum
}

# Prints nothing and leaves a stamp for a clean file, so that only what changed is checked again.
tidy_one() {
  local file=$1 stamp output
  stamp=build/lint/clean/$( (echo "$tidy_key"; echo "$file"; cat "$file") | sha256sum | cut -c1-64)
  [[ -e $stamp ]] && return
  if output=$(clang-tidy --load="$tidy_plugin" -p build/lint/tidy --quiet "$file" 2>&1); then
    touch "$stamp"
  else
    echo "$output"
    return 1
  fi
}

tidy() {
  mkdir -p build/lint/clean
  tidy_key=$(tidy_base_key)
  export tidy_key tidy_plugin
  export -f tidy_one
  local file
  for file in $(tracked '*.cc'); do
    # Only what the build compiles has known flags.
    if grep -qF "\"$PWD/$file\"" build/lint/tidy/compile_commands.json; then
      printf '%s\n' "$file"
    fi
  done | xargs -P "$(nproc)" -I{} bash -c 'tidy_one {}'
}

lint() {
  step format "Run ./run fmt." check_format
  step prepare-tidy "The message says what is missing or does not fit." prepare_tidy
  step tidy "Mend what clang-tidy names; .clang-tidy says what is checked." tidy
}
