// One running server of a service, as its record in etcd states it.
//
// Plain data: copyable, no locks. Snapshots share instances as `std::shared_ptr<const Instance>`,
// which any number of threads may read.
#ifndef TURNOUT_INSTANCE_H_
#define TURNOUT_INSTANCE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace turnout {

// Where an instance runs. Empty: not stated.
struct Locality {
  std::string region;
  std::string zone;

  friend bool operator==(const Locality&, const Locality&) = default;
};

// The switches of one RPC method, kept in the record's `endpoints` table under the simple method
// name. Only `online` decides calls today; the others are carried for those who act on them.
struct MethodSettings {
  bool online = true;                   // may this method be called on this instance?
  bool limiting_switch = false;         // is `limiting` in force?
  std::int64_t limiting = 0;            // calls a second
  bool fuse = false;                    // is circuit breaking on?
  std::optional<std::string> defaults;  // raw bytes: the answer while the breaker is open

  friend bool operator==(const MethodSettings&, const MethodSettings&) = default;
};

struct Instance {
  std::string service;  // dotted, `hwholiday.srv.app`
  std::string id;       // unique among the service's instances, `app-<uuid>`
  std::string version;  // free text, compared byte for byte; the default is `latest`

  // `host:port` or `[v6]:port`; the host may be a name. Never empty; calls use the first.
  std::vector<std::string> addresses;

  // The record's metadata, ours (keys that begin with `turnout.`) among the user's.
  std::map<std::string, std::string> metadata;

  // By simple method name. A method that is missing here may be called.
  std::map<std::string, MethodSettings> methods;

  // Read from our own metadata fields.
  std::uint32_t weight = 1;    // turnout.weight: share of calls, relative to its peers; 0 to 65535
  Locality locality;           // turnout.region, turnout.zone
  bool draining = false;       // turnout.state is `draining`: takes calls only when no other can
  std::string health_service;  // turnout.health: the name that proves its identity in gRPC health
                               // checks; empty: it announces none
  bool permits_pings = false;  // turnout.pings is `permitted`: may be sent HTTP/2 keepalive pings
  std::chrono::seconds lease_ttl{10};  // turnout.ttl: of the lease that it is registered under, 2
                                       // to 3600; those that end together end within one

  // Where etcd has it. A restart with the same id shows as a changed create_revision.
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;

  const std::string& address() const { return addresses.front(); }

  // May `method` (the simple name, `ApiTest`) be called on this instance?
  bool Serves(std::string_view method) const;

  friend bool operator==(const Instance&, const Instance&) = default;
};

}  // namespace turnout

#endif  // TURNOUT_INSTANCE_H_
