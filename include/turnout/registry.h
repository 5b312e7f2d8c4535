// The etcd cluster that holds the registrations: where it is and how to talk to it.
#ifndef TURNOUT_REGISTRY_H_
#define TURNOUT_REGISTRY_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace turnout {

// How etcd is reached over TLS. Files are PEM, and are read again when they change. Other instances
// are not concerned: calls to them have the channel's own credentials.
struct TlsOptions {
  // The authorities that may have signed etcd's certificates. Empty: those of the system.
  std::string ca_file;

  // What we show to etcd where it asks for a client certificate: both, or neither.
  std::string cert_file;
  std::string key_file;

  // The name that etcd's certificates must bear. Empty: the host of each endpoint.
  std::string server_name;

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

// Each field that is left as it is may be given by an environment variable instead. Those about
// credentials are read only where `endpoints` is empty too: what belongs to one cluster must not be
// shown to another.
struct RegistryOptions {
  // `host:port` or `[v6]:port` of the cluster's members; calls fail over between them. Empty:
  // TURNOUT_ETCD, a comma-separated list of the same; then 127.0.0.1:2379.
  std::vector<std::string> endpoints;

  // A namespace: every key stands under it. Empty, or components of [A-Za-z0-9._-] that each follow
  // a slash: `/team-a`, `/eu/prod`.
  std::string prefix;

  // For each single request to etcd. Long enough for a leader election, short enough to try the
  // next member while a caller still waits. 100 ms to 1 min.
  std::chrono::milliseconds request_timeout{3000};

  // Unset: plain text, unless one of TURNOUT_ETCD_CA_FILE, TURNOUT_ETCD_CERT_FILE,
  // TURNOUT_ETCD_KEY_FILE, TURNOUT_ETCD_SERVER_NAME is set, or TURNOUT_ETCD_TLS is 1.
  std::optional<TlsOptions> tls;

  // Whom etcd takes us for. Empty: nobody (or, over TLS, whom the client certificate names).
  // TURNOUT_ETCD_USER, TURNOUT_ETCD_PASSWORD, TURNOUT_ETCD_PASSWORD_FILE. The file is read again at
  // each log-in, and its last line break is not part of the password. Give one of the two. Neither
  // is ever shown: in no message, log or output.
  std::string username;
  std::string password;
  std::string password_file;

  // Where to keep the last snapshot of each service, for a start while etcd is away: a folder, made
  // with mode 0700 if it is missing. Empty: TURNOUT_CACHE_DIR; nothing is kept if that is empty
  // too.
  std::string cache_dir;

  // How long instances whose records vanished unannounced may still be called over a connection
  // that lives: see "Last known good" in docs/reliability.md. 0 (never) to 24 h.
  std::chrono::seconds lapsed_limit{300};

  // Of what etcd holds for one service: what is beyond is left out, and reported. Records are
  // input from outside; clients must not run out of memory by them. 1 to 1,000,000; 1 KiB to 1 MiB.
  std::size_t max_instances = 20'000;
  std::size_t max_record_bytes = 64 * 1024;

  // Records may name `unix:` socket paths as addresses. Off: whoever can write to etcd could else
  // point clients at local sockets.
  bool allow_unix_addresses = false;

  friend bool operator==(const RegistryOptions&, const RegistryOptions&) = default;
};

// Gives a cluster a name, so that targets can say `etcd://NAME/service`: options and
// credentials then never stand in a target, which logs and channelz show.
//
// `name`: [A-Za-z0-9_-]+. Call it before the first channel that uses the name. Thread-safe, does
// not block. InvalidArgument for a bad name or options, AlreadyExists if the name stands for other
// options.
absl::Status RegisterCluster(std::string_view name, const RegistryOptions& options);

}  // namespace turnout

#endif  // TURNOUT_REGISTRY_H_
