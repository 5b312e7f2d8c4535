// A server with streams, as a process: a Backend with app_server's flags. SIGTERM and SIGINT drain
// it.
#include <chrono>
#include <cstdio>
#include <string>

#include "examples/app.h"
#include "proto/api.grpc.pb.h"
#include "tests/support/backend.h"

namespace {

using std::chrono::milliseconds;

struct Flags {
  turnout::testing::BackendOptions backend;
  int ttl_s = 10;
  int drain_delay_ms = 1000;
  int deadline_ms = 5000;
  int pace_ms = 0;
  bool quiet = true;
};

void AddFlags(CLI::App& app, Flags& flags) {
  turnout::RegistrarOptions& options = flags.backend.registration;
  options.methods_of = {proto::Api::service_full_name()};
  app.add_option("--etcd", options.registry.endpoints, "host:port of etcd's members");
  app.add_option("--service", options.service, "dotted name")->required();
  app.add_option("--version", options.version, "what callers ask for");
  app.add_option("--listen", flags.backend.listen, "host:port; port 0 takes a free one");
  app.add_option("--id", options.id, "instance id");
  app.add_option("--ttl", flags.ttl_s, "of the lease, in seconds");
  app.add_option("--drain-delay-ms", flags.drain_delay_ms, "for clients to see that it drains");
  app.add_option("--deadline-ms", flags.deadline_ms, "for calls that run when it ends");
  app.add_option("--pace-ms", flags.pace_ms, "before each answer of a stream");
  app.add_flag("--quiet", flags.quiet, "taken, as by app_server, which prints more");
}

}  // namespace

int main(int argc, char** argv) {
  app::BlockSignals();
  CLI::App app(
      "Serves proto.Api and turnout.test.Streams, registered in etcd.\n"
      "Example: stream_server --etcd 127.0.0.1:2379 --service a.b --version v1",
      "stream_server");
  Flags flags;
  AddFlags(app, flags);
  if (const auto status = app::ParseFlags(app, argc, argv)) return *status;
  flags.backend.stream_pace = milliseconds(flags.pace_ms);
  flags.backend.registration.lease_ttl = std::chrono::seconds(flags.ttl_s);
  flags.backend.registration.drain_delay = milliseconds(flags.drain_delay_ms);
  turnout::testing::Backend backend(flags.backend);
  std::printf("registered %s %s\n", backend.registrar().key().c_str(), backend.address().c_str());
  std::fflush(stdout);
  app::WaitForSignal();
  backend.registrar().DrainAndShutdown(backend.server(), milliseconds(flags.deadline_ms));
  return app::kOk;
}
