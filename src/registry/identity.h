// How clients make sure that they reached the instance that a record describes.
#ifndef TURNOUT_SRC_REGISTRY_IDENTITY_H_
#define TURNOUT_SRC_REGISTRY_IDENTITY_H_

#include "turnout/instance.h"

namespace grpc {
class Server;
class ServerBuilder;
}  // namespace grpc

namespace turnout::registry {

// As Registrar::PrepareServer.
void PrepareServer(grpc::ServerBuilder& builder);

// Makes `server` answer health checks for `instance`, and writes into `instance` what it may
// announce of that: nothing, with a warning, if the server has no health service.
//
// The name is new for each incarnation, `app-1@5f0c9a1e`: a server that is restarted under its old
// id, as another version, must not pass for the one that the old record describes. Probes of
// operators find it under the plain id too.
void AnnounceIdentity(grpc::Server& server, Instance& instance);

// Makes `server` answer that it serves nothing any more, which clients hear over their connections.
// False: it has no health service.
bool WithdrawIdentity(grpc::Server& server);

}  // namespace turnout::registry

#endif  // TURNOUT_SRC_REGISTRY_IDENTITY_H_
