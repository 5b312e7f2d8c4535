// Why a member cannot be talked to, found out by a connection of our own: gRPC only says that a
// handshake failed, or that a connection ended.
#ifndef TURNOUT_SRC_ETCD_PROBE_H_
#define TURNOUT_SRC_ETCD_PROBE_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "src/etcd/tls_files.h"
#include "turnout/registry.h"

namespace turnout::etcd {

// Connects to `endpoint` in plain text and looks whether TLS is spoken there. Unavailable says what
// to do about it; OK: it is not, or cannot be told. Blocks: for `timeout`, and as long as a host
// name takes to be resolved.
absl::Status ProbePlain(const std::string& endpoint, std::chrono::milliseconds timeout);

// Connects over TLS, as gRPC does with the same files. Unavailable says what is wrong with which
// certificate, and what to do about it; OK: nothing is, or the connection fails for another reason.
absl::Status ProbeTls(const std::string& endpoint, const TlsOptions& options, const TlsFiles& files,
                      std::chrono::milliseconds timeout);

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_PROBE_H_
