// Keeps one server registered in etcd, for as long as it lives.
#ifndef TURNOUT_REGISTRAR_H_
#define TURNOUT_REGISTRAR_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/instance.h"
#include "turnout/registry.h"

namespace grpc {
class Server;
class ServerBuilder;
}  // namespace grpc

namespace turnout {

struct RegistrarOptions {
  // Dotted, components of [A-Za-z0-9_-], the first of which is not `turnout`. Required.
  std::string service;

  // What callers ask for. Free text of 1 to 256 bytes without control characters.
  std::string version = "latest";

  // Full protobuf names of the gRPC services whose methods fill the record's method table
  // (`proto::Api::service_full_name()`). They must be linked into the process.
  std::vector<std::string> methods_of;

  // What to tell clients to connect to: `host:port`, or `host` (the server's port is added). Empty:
  // the host of `listen`, unless that is a wildcard; then the local address of the route toward
  // etcd; is that loopback, a global address of this machine, with a warning.
  std::string advertise;

  // The address that was given to ServerBuilder::AddListeningPort, `0.0.0.0:8089`. Only its host is
  // used, for `advertise`.
  std::string listen;

  // Unique among the service's instances: [A-Za-z0-9._-]+. Empty: `<last component>-<uuid>`.
  std::string id;

  // The user's own fields. Keys that begin with `turnout.` are refused: they have options below.
  std::map<std::string, std::string> metadata;

  std::uint32_t weight = 1;  // share of calls relative to the peers, 0 to 65535
  Locality locality;

  // How long the registration outlives a process that dies without a word. 2 s to 1 h: shorter ones
  // are lost by a single slow election, longer ones leave the dead listed.
  std::chrono::seconds lease_ttl{10};

  // How long a drain waits for clients to see it before the record goes. 0 to 1 min.
  std::chrono::milliseconds drain_delay{1000};

  RegistryOptions registry;
};

enum class RegistrationState {
  kRegistering,  // not in etcd yet, or lost and trying again
  kRegistered,   // the record is in etcd under a living lease
  kRemoved,      // an operator has removed it; it stays away until that entry goes
  kSuperseded,   // another process has registered the same id; ours stays away
  kDraining,     // ending: announced, still listed
  kEnded,        // deregistered
};

std::string_view ToString(RegistrationState state);  // "registering", "registered", ...

// Thread-safe. Its work is done on the library's own threads: a process whose threads all block
// still keeps its registration. In a forked child all members return at once and do nothing.
class Registrar {
 public:
  // Makes the server that is being built fit to be registered: it answers gRPC health checks (by
  // which clients make sure that they reached this instance and not another one on its address) and
  // permits keepalive pings every 10 s. Call it before BuildAndStart. A server without it can be
  // registered all the same, but announces neither.
  //
  // gRPC keeps the health service's switch for the whole process, and does not tell how a server
  // was built: of several servers in a process, prepare all or none.
  static void PrepareServer(grpc::ServerBuilder& builder);

  // Begins to register `server`, which accepts calls on `port`. Does not wait for etcd: while etcd
  // cannot be reached it tries again with jittered exponential backoff (100 ms to 5 s), for as long
  // as it takes. `server` is used during this call and DrainAndShutdown only.
  //
  // A record that another process left, or keeps, under the same id is taken over. The server
  // answers health checks under a name of this registration alone, and under the plain id. May
  // resolve etcd's host names, if that is what it takes to find an address.
  //
  // InvalidArgument names the option, what is allowed and what was found.
  static absl::StatusOr<std::unique_ptr<Registrar>> Start(RegistrarOptions options,
                                                          grpc::Server& server, int port);

  // As DrainAndShutdown without a server, and without its delay: deletes the record and waits for
  // that at most 1 s.
  ~Registrar();

  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  // Blocks until the record is in etcd. DeadlineExceeded carries the last error.
  absl::Status WaitUntilRegistered(std::chrono::milliseconds timeout);

  // The graceful end: marks the record as draining, waits `drain_delay` so that clients can turn
  // away, and deletes the record (and the lease, if it was the last on it). Then it answers health
  // checks with NOT_SERVING for 100 ms, for clients that etcd does not reach, and ends `server`
  // with `deadline` for the calls that still run. Blocks for at most drain_delay + deadline + 2 s,
  // and for as long as handlers ignore that their call has been cancelled. Later calls return at
  // once.
  void DrainAndShutdown(grpc::Server& server, std::chrono::milliseconds deadline);

  RegistrationState state() const;
  absl::Status last_error() const;  // of the newest failed attempt; OK once registered

  const std::string& id() const;
  const std::string& key() const;      // in etcd
  const std::string& address() const;  // as advertised

 private:
  class Impl;
  explicit Registrar(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout

#endif  // TURNOUT_REGISTRAR_H_
