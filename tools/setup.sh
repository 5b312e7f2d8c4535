# What a machine needs before anything can be built: Debian packages on the system; gRPC's internal
# headers and an etcd under build/deps, neither of them installed. Each part is skipped when it is there.

readonly deps=build/deps
readonly etcd_binary=$PWD/$deps/etcd/usr/bin/etcd

# setup PART…: everything for these parts of tools/packages.txt. Nothing is looked at again until
# the system's packages or these files change.
setup() {
  local stamp="$deps/ready-$(IFS=-; echo "$*")"
  if [[ $stamp -nt /var/lib/dpkg/status && $stamp -nt tools/packages.txt &&
        $stamp -nt tools/setup.sh ]]; then
    return
  fi
  mkdir -p "$deps"
  local missing
  missing=$(missing_packages "$@")
  if [[ -n $missing ]]; then
    # shellcheck disable=SC2086
    step packages "Turnout needs Debian 12's packages ($(tr '\n' ' ' <<<"$missing")); look at apt's \
message above, and run the same command again." install_packages $missing
  fi
  local version
  version=$(dpkg-query -W -f '${source:Version}' libgrpc-dev)
  if [[ ! -e $(grpc_tree "$version")/complete ]]; then
    step grpc-headers "They come from the source package of the installed gRPC ($version), which apt \
must be able to reach." fetch_grpc_headers "$version"
  fi
  touch "$stamp"
}

setup_etcd() {
  if [[ ! -x $etcd_binary || ! -x $(dirname "$etcd_binary")/etcdctl ]]; then
    step etcd "It comes from Debian's packages etcd-server and etcd-client, which apt must be able to reach." \
      fetch_etcd
  fi
}

packages_of() {
  local part
  for part in "$@"; do
    awk -v part="$part" '$1 == part { print $2 }' tools/packages.txt
  done
}

missing_packages() {
  local package
  for package in $(packages_of "$@"); do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      echo "$package"
    fi
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "This needs root: run as root, or install sudo. Not run: $*"
    return 1
  fi
}

apt_get() { apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"; }

install_packages() {
  as_root apt-get -q update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 \
    -o Dpkg::Options::=--force-confold install -y --no-install-recommends --no-remove "$@"
}

grpc_tree() {
  local upstream=${1#*:}
  echo "$deps/grpc-${upstream%-*}"
}

# fetch_grpc_headers SOURCE-VERSION: only what the adapter includes, from Debian's source package. The
# system's apt configuration stays as it is: a private copy of its sources, turned into deb-src
# entries, is read with package lists of our own.
fetch_grpc_headers() {
  local version=$1 work tree
  work=$(mktemp -d "$PWD/$deps/apt.XXXXXX")
  tree=$PWD/$(grpc_tree "$version")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work/sources" "$work/lists/partial" "$work/tree"
  copy_apt_sources "$work/sources"
  (
    cd "$work"
    private_apt() {
      apt_get -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
    }
    # Other vendors' entries may have no sources: what counts is that gRPC's are found.
    private_apt update || true
    private_apt source --download-only "grpc=$version"
    tar -xf grpc_*.orig.tar.* -C tree --strip-components=1 --wildcards \
      '*/src/core/*.h' '*/third_party/upb/*.h' '*/third_party/upb/*.inc' \
      '*/third_party/xxhash/*.h' '*/include/grpcpp/version_info.h'
    touch tree/complete
  )
  rm -rf "$tree"
  mv "$work/tree" "$tree"
}

# copy_apt_sources FOLDER: the system's package sources as source-package entries.
copy_apt_sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    if [[ -e $file ]]; then
      sed -nE 's/^[[:space:]]*deb([[:space:]])/deb-src\1/p' "$file" >"$1/$(basename "$file" .list).list"
    fi
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    if [[ -e $file ]]; then
      sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
    fi
  done
}

# etcd, and etcdctl beside it for tests. Unpacked, not installed: the package would start a daemon.
fetch_etcd() {
  local work
  work=$(mktemp -d "$PWD/$deps/apt.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  (
    cd "$work"
    if ! apt_get download etcd-server etcd-client; then
      as_root apt-get -q update
      apt_get download etcd-server etcd-client
    fi
    dpkg-deb -x etcd-server_*.deb tree
    dpkg-deb -x etcd-client_*.deb tree
  )
  rm -rf "$deps/etcd"
  mv "$work/tree" "$deps/etcd"
}
