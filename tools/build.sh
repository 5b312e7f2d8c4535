# Configures and builds a preset.

readonly presets="release dev asan tsan"

check_preset() {
  if [[ " $presets " != *" $1 "* ]]; then
    usage_error "no preset \"$1\"; there are: $presets"
  fi
}

# configure PRESET [NAME=ON…]: unless that has been done; from then on ninja sees to it by itself.
configure() {
  local preset=$1 setting
  shift
  local folder=build/$preset fresh=yes arguments=()
  [[ -e $folder/build.ninja ]] || fresh=no
  for setting in "$@"; do
    arguments+=("-D$setting")
    grep -qs "^${setting%%=*}:[A-Z]*=${setting#*=}\$" "$folder/CMakeCache.txt" || fresh=no
  done
  if [[ $fresh == no ]]; then
    step "configure-$preset" "The message says what is missing or does not fit." \
      cmake --preset "$preset" "${arguments[@]}"
  fi
}

# compile PRESET [TARGET…]
compile() {
  local preset=$1
  shift
  step "build-$preset" "Mend what the compiler names; if a file is stale, remove build/$preset." \
    ninja -C "build/$preset" "$@"
}
