// What a file of the disk cache holds: the last snapshot of one service, as text. Pure.
//
//   turnout-cache 1 6f0c2a1b 1234     the format, then the checksum (CRC-32) and size of the rest
//   {"service":"hwholiday.srv.app","prefix":"","endpoints":["10.0.0.1:2379"],"revision":17,
//    "members":[{"id":"app-1","record":"{…}","create_revision":5,"mod_revision":9,
//    "operator_draining":false}],"rules":{"document":"{…}","mod_revision":12}}
//
// Files are input from outside, as records are: whatever text stands in one, parsing it gives lists
// or an error.
#ifndef TURNOUT_SRC_DISCOVERY_CACHE_FORMAT_H_
#define TURNOUT_SRC_DISCOVERY_CACHE_FORMAT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/discovery/lists.h"
#include "turnout/registry.h"
#include "turnout/snapshot.h"

namespace turnout::discovery {

// Whose snapshot it is.
struct CacheIdentity {
  CacheIdentity(std::string service_name, const RegistryOptions& options);

  std::string service;
  std::string prefix;
  std::vector<std::string> endpoints;  // sorted: their order does not make another cluster

  // `hwholiday.srv.app.0123456789abcdef.cache`: the service, shortened if it is very long, and a
  // hash of all of this.
  std::string FileName() const;
};

// Lapsed members are left out: etcd did not have them any more.
std::string FormatCache(const CacheIdentity& identity, const Snapshot& snapshot);

// InvalidArgument says what is wrong with `text`.
absl::StatusOr<Lists> ParseCache(const CacheIdentity& identity, std::string_view text);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_CACHE_FORMAT_H_
