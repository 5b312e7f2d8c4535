// Which address a server announces.
#ifndef TURNOUT_SRC_REGISTRY_ADVERTISE_H_
#define TURNOUT_SRC_REGISTRY_ADVERTISE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace turnout::registry {

enum class IpFamily { kAny, kV4 };

// What the machine's network says, behind an interface so that tests can script it.
class Network {
 public:
  virtual ~Network() = default;

  // The local address of the route toward `endpoint` (`host:port`), as a numeric host without
  // brackets. Sends nothing, but resolves names, which may block.
  virtual std::optional<std::string> LocalAddressToward(const std::string& endpoint,
                                                        IpFamily family) = 0;
  // An address of an interface that is up and neither loopback nor link-local.
  virtual std::optional<std::string> GlobalAddress(IpFamily family) = 0;
};

Network& SystemNetwork();

struct AdvertiseInput {
  std::string advertise;               // RegistrarOptions::advertise
  std::string listen;                  // RegistrarOptions::listen
  int port = 0;                        // of the server
  std::vector<std::string> endpoints;  // of etcd
  bool allow_unix_addresses = false;
};

struct Advertised {
  std::string address;  // `host:port`, `[v6]:port` or `unix:path`
  std::string reason;   // for the log: where it comes from
  bool doubtful = false;
};

// The first of these that there is: `advertise`; the host of `listen`, unless it is a wildcard; the
// local address of the route toward etcd, unless it is loopback; a global address of this machine
// (doubtful: nobody said that clients can reach it); loopback (doubtful). InvalidArgument names the
// option, what is allowed, what was found.
absl::StatusOr<Advertised> ChooseAddress(const AdvertiseInput& input, Network& network);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_ADVERTISE_H_
