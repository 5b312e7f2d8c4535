// The PEM files of a TLS connection: read, and checked before they are used.
#ifndef TURNOUT_SRC_ETCD_TLS_FILES_H_
#define TURNOUT_SRC_ETCD_TLS_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/registry.h"

namespace turnout::etcd {

// What stands in them.
struct TlsFiles {
  std::string ca;    // never empty
  std::string cert;  // empty, as is the key: we have none
  std::string key;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// As they are, half-written perhaps. Without ca_file, the system's authorities. Blocks.
absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsOptions& options);

// Can connections be made with them? Errors say which file is wrong, and how.
absl::Status CheckTlsFiles(const TlsOptions& options, const TlsFiles& files);

// The name that a client certificate stands for, as etcd takes it for a user; empty if none.
std::string CommonName(const std::string& cert);

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_TLS_FILES_H_
