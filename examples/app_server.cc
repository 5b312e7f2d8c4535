// Serves proto.Api/ApiTest and registers itself in etcd. The answer to every request is
// `VERSION ADDRESS`, so that a client sees who answered. SIGTERM and SIGINT drain it.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "examples/app.h"
#include "proto/api.grpc.pb.h"
#include "turnout/load_reporter.h"
#include "turnout/registrar.h"

namespace {

using std::chrono::milliseconds;

struct Flags {
  turnout::RegistrarOptions registration{.methods_of = {proto::Api::service_full_name()}};
  std::vector<std::string> metadata;
  int ttl_s = 10;
  int drain_delay_ms = 1000;
  int deadline_ms = 5000;
  int delay_ms = 0;
  unsigned fail_percent = 0;
  bool report_load = false;
  bool quiet = false;
  bool verbose = false;
};

// gRPC would take `8089` for an address. Empty: right.
std::string CheckHostPort(const std::string& text) {
  const auto colon = text.rfind(':');
  const bool right = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                     text.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return right ? "" : "must be host:port, got \"" + text + "\"";
}

void AddFlags(CLI::App& app, Flags& flags) {
  turnout::RegistrarOptions& options = flags.registration;
  options.listen = "127.0.0.1:0";
  app.add_option("--etcd", options.registry.endpoints,
                 "host:port of etcd's members, repeated or comma-separated (default: "
                 "$TURNOUT_ETCD, then 127.0.0.1:2379)")
      ->delimiter(',');
  app.add_option("--service", options.service, "dotted name, hwholiday.srv.app")->required();
  app.add_option("--version", options.version, "what callers ask for")->capture_default_str();
  app.add_option("--listen", options.listen, "host:port; port 0 takes a free one")
      ->check(CheckHostPort)
      ->capture_default_str();
  app.add_option("--advertise", options.advertise, "host[:port] to tell clients instead");
  app.add_option("--id", options.id, "instance id (default: a new one)");
  app.add_option("--metadata", flags.metadata, "KEY=VALUE, repeated");
  app.add_option("--delay-ms", flags.delay_ms, "before each answer")->check(CLI::Range(0, 3600000));
  app.add_option("--fail-percent", flags.fail_percent, "of the calls fail UNAVAILABLE, at once")
      ->check(CLI::Range(0, 100));
  app.add_option("--ttl", flags.ttl_s, "of the lease, in seconds")->capture_default_str();
  app.add_option("--drain-delay-ms", flags.drain_delay_ms,
                 "how long clients get to see that it drains")
      ->capture_default_str();
  app.add_option("--deadline-ms", flags.deadline_ms, "for calls that run when it ends")
      ->check(CLI::Range(0, 3600000))
      ->capture_default_str();
  app.add_flag("--report-load", flags.report_load, "tell clients the load with each answer");
  app.add_flag("--quiet", flags.quiet, "do not print the input of each request");
  app.add_flag("--verbose", flags.verbose, "log more to stderr");
}

absl::Status Complete(Flags& flags) {
  turnout::RegistrarOptions& options = flags.registration;
  options.lease_ttl = std::chrono::seconds(flags.ttl_s);
  options.drain_delay = milliseconds(flags.drain_delay_ms);
  for (const std::string& entry : flags.metadata) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError("--metadata: must be KEY=VALUE, got \"" + entry + "\"");
    }
    options.metadata[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return absl::OkStatus();
}

void PrintLine(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

class Api final : public proto::Api::Service {
 public:
  // Calls that come before `output` is known wait for it.
  Api(std::shared_future<std::string> output, const Flags& flags)
      : load_(flags.report_load ? std::make_unique<turnout::LoadReporter>() : nullptr),
        output_(std::move(output)),
        delay_(flags.delay_ms),
        fail_percent_(flags.fail_percent),
        quiet_(flags.quiet) {}

 private:
  grpc::Status ApiTest(grpc::ServerContext* context, const proto::Request* request,
                       proto::Response* response) override {
    if (load_ == nullptr) return Answer(*request, *response);
    turnout::LoadReporter::Call call(*load_, *context);
    return call.End(Answer(*request, *response));
  }

  grpc::Status Answer(const proto::Request& request, proto::Response& response) {
    if (!quiet_) PrintLine("input: " + request.input());
    if (IsToFail(calls_.fetch_add(1))) {
      return {grpc::StatusCode::UNAVAILABLE, "refused by " + output_.get()};
    }
    std::this_thread::sleep_for(delay_);
    response.set_output(output_.get());
    return grpc::Status::OK;
  }

  // Evenly spread: of 25 percent, the calls 3, 7, 11, ...
  bool IsToFail(std::uint64_t call) const {
    return (call + 1) * fail_percent_ / 100 != call * fail_percent_ / 100;
  }

  const std::unique_ptr<turnout::LoadReporter> load_;  // null if it is not reported
  const std::shared_future<std::string> output_;
  const milliseconds delay_;
  const unsigned fail_percent_;
  const bool quiet_;
  std::atomic<std::uint64_t> calls_{0};
};

// Null if the address cannot be listened on.
std::unique_ptr<grpc::Server> StartServer(Api& api, const std::string& listen, int& port) {
  grpc::ServerBuilder builder;
  // A second server on the same port is a mistake, not a way to share its calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&api);
  turnout::Registrar::PrepareServer(builder);
  auto server = builder.BuildAndStart();
  return port > 0 ? std::move(server) : nullptr;
}

int Serve(const CLI::App& app, const Flags& flags) {
  std::promise<std::string> output;
  Api api(output.get_future().share(), flags);
  int port = 0;
  const auto server = StartServer(api, flags.registration.listen, port);
  if (server == nullptr) {
    return app::Fail(app, absl::UnavailableError("cannot listen on " + flags.registration.listen));
  }
  auto started = turnout::Registrar::Start(flags.registration, *server, port);
  if (!started.ok()) {
    output.set_value("");
    return app::Fail(app, started.status());
  }
  turnout::Registrar& registrar = **started;
  output.set_value(flags.registration.version + " " + registrar.address());

  std::jthread announcer([&registrar] {
    if (registrar.WaitUntilRegistered(milliseconds::max()).ok()) {
      PrintLine("registered " + registrar.key() + " " + registrar.address());
    }
  });
  app::WaitForSignal();
  registrar.DrainAndShutdown(*server, milliseconds(flags.deadline_ms));
  return app::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  app::BlockSignals();
  CLI::App app("Serves proto.Api/ApiTest, registered in etcd. Answers `VERSION ADDRESS`.",
               "app_server");
  Flags flags;
  AddFlags(app, flags);
  if (const auto status = app::ParseFlags(app, argc, argv)) return *status;
  if (const auto status = Complete(flags); !status.ok()) return app::Fail(app, status);
  app::LogToStderr(flags.verbose ? turnout::LogSeverity::kDebug : turnout::LogSeverity::kInfo);
  return Serve(app, flags);
}
