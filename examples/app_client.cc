// Calls proto.Api/ApiTest of the instances that etcd has, and reports who answered.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "examples/app.h"
#include "examples/call_report.h"
#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"
#include "turnout/registry.h"
#include "turnout/rules.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMostMs = 3600000;

struct Flags {
  turnout::RegistryOptions registry;
  std::string service;
  std::string version;
  std::string caller;
  std::vector<std::string> metadata;
  std::string config;
  std::string input = "hello";
  std::uint64_t calls = 1;
  unsigned threads = 1;
  int interval_ms = 0;
  int timeout_ms = 5000;
  bool wait_for_ready = false;
  bool json = false;
  bool verbose = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("--etcd", flags.registry.endpoints,
                 "host:port of etcd's members, repeated or comma-separated (default: "
                 "$TURNOUT_ETCD, then 127.0.0.1:2379)")
      ->delimiter(',');
  app.add_option("--service", flags.service, "dotted name, hwholiday.srv.app")->required();
  app.add_option("--version", flags.version, "who is to answer (default: any version)");
  app.add_option("--caller", flags.caller,
                 "who is calling, for traffic rules: SERVICE or SERVICE@VERSION");
  app.add_option("--metadata", flags.metadata, "of each call, repeated: KEY=VALUE")
      ->check([](const std::string& text) {
        return text.find('=') > 0 && text.find('=') != std::string::npos
                   ? std::string()
                   : "must be KEY=VALUE, got " + text;
      });
  app.add_option("--calls", flags.calls, "in total, over all threads")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000000000}))
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "that call at the same time, on one channel")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--interval-ms", flags.interval_ms, "between the calls of a thread")
      ->check(CLI::Range(0, kMostMs))
      ->capture_default_str();
  app.add_option("--timeout-ms", flags.timeout_ms, "of each call")
      ->check(CLI::Range(1, kMostMs))
      ->capture_default_str();
  app.add_option("--input", flags.input, "what the server prints")->capture_default_str();
  app.add_option("--config", flags.config, "gRPC service config, as JSON");
  app.add_flag("--wait-for-ready", flags.wait_for_ready,
               "calls wait for an instance instead of failing");
  app.add_flag("--json", flags.json, "report as one JSON object");
  app.add_flag("--verbose", flags.verbose, "log more to stderr");
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const Flags& flags) {
  constexpr char kCluster[] = "app_client";
  if (auto status = turnout::RegisterCluster(kCluster, flags.registry); !status.ok()) return status;
  return turnout::CreateChannel("etcd://" + std::string(kCluster) + "/" + flags.service,
                                grpc::InsecureChannelCredentials(),
                                {.service_config_json = flags.config});
}

// The calls of all threads; ends early when asked to.
class Caller {
 public:
  Caller(const Flags& flags, const std::shared_ptr<grpc::Channel>& channel)
      : flags_(flags), stub_(channel) {}

  app::CallReport Run(const std::stop_token& stop) {
    std::vector<app::CallReport> reports(flags_.threads);
    {
      std::vector<std::jthread> threads;
      threads.reserve(reports.size());
      for (app::CallReport& report : reports) {
        threads.emplace_back([this, stop, &report] { CallUntilDone(stop, report); });
      }
    }
    app::CallReport whole;
    for (const app::CallReport& report : reports) whole.Merge(report);
    return whole;
  }

 private:
  void CallUntilDone(const std::stop_token& stop, app::CallReport& report) {
    while (!stop.stop_requested() && begun_.fetch_add(1) < flags_.calls) {
      Call(report);
      if (flags_.interval_ms > 0) Pause(stop);
    }
  }

  void Call(app::CallReport& report) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + milliseconds(flags_.timeout_ms));
    context.set_wait_for_ready(flags_.wait_for_ready);
    if (!flags_.version.empty()) turnout::SetVersion(context, flags_.version);
    for (const std::string& each : flags_.metadata) {
      const std::size_t middle = each.find('=');
      context.AddMetadata(each.substr(0, middle), each.substr(middle + 1));
    }
    proto::Request request;
    request.set_input(flags_.input);
    proto::Response response;
    const auto start = steady_clock::now();
    const grpc::Status status = stub_.ApiTest(&context, request, &response);
    report.Add(status, response.output(), steady_clock::now() - start);
  }

  void Pause(const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any stopped;
    stopped.wait_for(lock, stop, milliseconds(flags_.interval_ms), [] { return false; });
  }

  const Flags& flags_;
  proto::Api::Stub stub_;
  std::atomic<std::uint64_t> begun_{0};
};

}  // namespace

int main(int argc, char** argv) {
  app::BlockSignals();
  CLI::App app("Calls proto.Api/ApiTest through Turnout, and reports who answered.", "app_client");
  Flags flags;
  AddFlags(app, flags);
  if (const auto status = app::ParseFlags(app, argc, argv)) return *status;
  app::LogToStderr(flags.verbose ? turnout::LogSeverity::kDebug : turnout::LogSeverity::kWarning);
  if (!flags.caller.empty()) {
    const std::size_t at = flags.caller.find('@');
    turnout::SetCaller({.service = flags.caller.substr(0, at),
                        .version = at == std::string::npos ? "" : flags.caller.substr(at + 1)});
  }
  const auto channel = MakeChannel(flags);
  if (!channel.ok()) return app::Fail(app, channel.status());

  std::stop_source stop;
  std::thread([stop]() mutable {
    app::WaitForSignal();
    stop.request_stop();
  }).detach();
  const app::CallReport report = Caller(flags, *channel).Run(stop.get_token());
  std::cout << (flags.json ? report.Json() + "\n" : report.Table()) << std::flush;
  return report.all_answered(flags.calls) ? app::kOk : app::kFailed;
}
