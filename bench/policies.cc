// What each policy makes of bad servers, with real processes: 8 app_servers, of which one is slow
// and one fails every call at once. Calls are made at a steady rate, whatever becomes of those
// before (an open loop), since callers who wait would spare the servers that let them wait.
//
// Each policy runs in a process of its own: what is learnt of an instance belongs to the process.
// The policies take turns, so that what disturbs the machine disturbs all, and the median of a
// policy's rounds counts.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <latch>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/benchmark.h"
#include "bench/support/registry.h"
#include "bench/support/statistics.h"
#include "proto/api.grpc.pb.h"
#include "tests/support/process.h"
#include "turnout/channel.h"
#include "turnout/service_config.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kService[] = "bench.policies";
constexpr char kVersion[] = "v1";
constexpr int kGoodServers = 6;
constexpr int kGoodDelayMs = 10;
constexpr int kSlowDelayMs = 200;

constexpr std::chrono::microseconds kInterval{1250};  // 800 calls a second
constexpr std::size_t kWarmUpCalls = 3200;            // 4 s, in which policies learn
constexpr std::size_t kMeasuredCalls = 4000;
constexpr int kRounds = 3;
constexpr double kMostLateMs = 10;   // behind the rate, for 1% of the calls
constexpr int kMostTries = 10;       // to stay below that
constexpr std::size_t kKeys = 1000;  // that calls are placed by: `x-user`
constexpr std::chrono::seconds kDeadline{5};

// Periods are shorter than their defaults, so that they pass during the warm-up.
struct Policy {
  const char* name;
  const char* picker;
  bool detects_outliers = false;
};
constexpr Policy kPolicies[] = {
    {"random", R"({"random":{}})"},
    {"round_robin", R"({"round_robin":{}})"},
    {"weighted_round_robin, reported",
     R"({"weighted_round_robin":{"weights":"reported","blackoutPeriod":"1s"}})"},
    {"least_request", R"({"least_request":{}})"},
    {"peak_ewma", R"({"peak_ewma":{}})"},
    {"ring_hash", R"({"ring_hash":{"requestHashHeader":"x-user"}})"},
    {"ring_hash, bounded load",
     R"({"ring_hash":{"requestHashHeader":"x-user","boundedLoad":1.25}})"},
    {"maglev", R"({"maglev":{"requestHashHeader":"x-user"}})"},
    {"outlier detection over round_robin", R"({"round_robin":{}})", true},
    {"outlier detection over least_request", R"({"least_request":{}})", true},
    {"outlier detection over peak_ewma", R"({"peak_ewma":{}})", true},
};

std::string ServiceConfig(const Policy& policy) {
  std::string config =
      absl::StrCat(R"({"loadBalancingConfig":[{"turnout":{"picker":[{"version":{"child":[)",
                   policy.picker, "]}}]}}]}");
  if (!policy.detects_outliers) return config;
  return WithOutlierDetection(config, {.interval = std::chrono::seconds(1)});
}

// What became of the calls at one server.
struct Share {
  std::size_t calls = 0;
  std::size_t errors = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Share, calls, errors)
};

struct Result {
  double p50_ms = 0, p90_ms = 0, p99_ms = 0;  // of the calls that were answered
  double late_p99_ms = 0;                     // how far the machine was from the steady rate
  std::size_t calls = 0, errors = 0;
  std::map<std::string, Share> by_server;  // by address; "" for errors that no server made
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Result, p50_ms, p90_ms, p99_ms, late_p99_ms, calls, errors,
                                 by_server)
};

struct Call {
  grpc::ClientContext context;
  proto::Request request;
  proto::Response response;
  grpc::Status status;
  Clock::time_point begin;
  std::chrono::duration<double, std::milli> latency{};
  std::chrono::duration<double, std::milli> late{};  // behind the steady rate
};

// Answers are "v1 127.0.0.1:40001", and so end the errors of servers that are told to fail.
std::string ServerOf(const Call& call) {
  const std::string& words =
      call.status.ok() ? call.response.output() : call.status.error_message();
  const std::size_t found = words.rfind("v1 ");
  return found == std::string::npos ? "" : words.substr(found + 3);
}

Result Summarise(const std::vector<std::unique_ptr<Call>>& calls) {
  Result result{.calls = calls.size()};
  std::vector<double> latencies_ms;
  std::vector<double> late_ms;
  for (const auto& call : calls) {
    late_ms.push_back(call->late.count());
    Share& share = result.by_server[ServerOf(*call)];
    ++share.calls;
    if (call->status.ok()) {
      latencies_ms.push_back(call->latency.count());
    } else {
      ++share.errors;
      ++result.errors;
    }
  }
  result.late_p99_ms = Percentile(late_ms, 99);
  if (!latencies_ms.empty()) {
    result.p50_ms = Percentile(latencies_ms, 50);
    result.p90_ms = Percentile(latencies_ms, 90);
    result.p99_ms = Percentile(latencies_ms, 99);
  }
  return result;
}

std::vector<std::unique_ptr<Call>> CallSteadily(proto::Api::Stub& stub, std::size_t count) {
  std::vector<std::unique_ptr<Call>> calls;
  calls.reserve(count);
  std::latch ended(static_cast<std::ptrdiff_t>(count));
  const Clock::time_point begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    Call& call = *calls.emplace_back(std::make_unique<Call>());
    call.context.AddMetadata("x-user", absl::StrCat("user-", i % kKeys));
    SetVersion(call.context, kVersion);
    const Clock::time_point due = begin + i * kInterval;
    std::this_thread::sleep_until(due);
    call.begin = Clock::now();
    call.late = call.begin - due;
    call.context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    stub.async()->ApiTest(&call.context, &call.request, &call.response,
                          [&call, &ended](grpc::Status status) {
                            call.status = std::move(status);
                            call.latency = Clock::now() - call.begin;
                            ended.count_down();
                          });
  }
  ended.wait();
  return calls;
}

// --child TARGET POLICY: one line, what a channel with that policy has made of its calls.
absl::Status MeasureHere(const std::vector<std::string>& arguments) {
  std::size_t index = 0;
  if (arguments.size() != 2 || !absl::SimpleAtoi(arguments[1], &index) ||
      index >= std::size(kPolicies)) {
    return absl::InvalidArgumentError("--child TARGET POLICY");
  }
  const auto channel = CreateChannel(arguments[0], grpc::InsecureChannelCredentials(),
                                     {.service_config_json = ServiceConfig(kPolicies[index])});
  if (!channel.ok()) return channel.status();
  proto::Api::Stub stub(*channel);
  CallSteadily(stub, kWarmUpCalls);
  const nlohmann::json result = Summarise(CallSteadily(stub, kMeasuredCalls));
  std::puts(result.dump().c_str());
  return absl::OkStatus();
}

class Servers {
 public:
  explicit Servers(const std::string& etcd) : etcd_(etcd) {}

  absl::Status StartAll() {
    if (absl::Status status = Start("slow", kSlowDelayMs, 0); !status.ok()) return status;
    if (absl::Status status = Start("failing", kGoodDelayMs, 100); !status.ok()) return status;
    for (int i = 1; i <= kGoodServers; ++i) {
      if (absl::Status status = Start(absl::StrCat("good-", i), kGoodDelayMs, 0); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  const std::string& AddressOf(const std::string& id) const { return addresses_.at(id); }

 private:
  absl::Status Start(const std::string& id, int delay_ms, int fail_percent) {
    const auto program = std::filesystem::path(SelfPath()).parent_path() / "app_server";
    auto process = std::make_unique<testing::Process>(std::vector<std::string>{
        program.string(), "--etcd", etcd_, "--service", kService, "--version", kVersion, "--id", id,
        "--quiet", "--report-load", "--delay-ms", absl::StrCat(delay_ms), "--fail-percent",
        absl::StrCat(fail_percent)});
    const std::string line = process->ReadLine().value_or("");  // "registered KEY ADDRESS"
    const std::size_t space = line.rfind(' ');
    if (space == std::string::npos) {
      return absl::UnavailableError(absl::StrCat(program.string(), " does not start"));
    }
    addresses_[id] = line.substr(space + 1);
    processes_.push_back(std::move(process));
    return absl::OkStatus();
  }

  const std::string etcd_;
  std::map<std::string, std::string> addresses_;
  std::vector<std::unique_ptr<testing::Process>> processes_;
};

double PercentAt(const Result& result, const std::string& address) {
  const auto found = result.by_server.find(address);
  if (found == result.by_server.end()) return 0;
  return 100.0 * static_cast<double>(found->second.calls) / static_cast<double>(result.calls);
}

// The median of what `figure` says of each round.
template <typename Figure>
double Typical(const std::vector<Result>& rounds, Figure figure) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const Result& round : rounds) values.push_back(figure(round));
  return Median(values);
}

void AddToReport(Report& report, const Policy& policy, const std::vector<Result>& rounds,
                 const Servers& servers) {
  const auto percent_at = [&](const std::string& id) {
    const std::string& address = servers.AddressOf(id);
    return Typical(rounds, [&](const Result& round) { return PercentAt(round, address); });
  };
  std::vector<double> good;
  for (int i = 1; i <= kGoodServers; ++i) good.push_back(percent_at(absl::StrCat("good-", i)));
  const auto [least, most] = std::minmax_element(good.begin(), good.end());
  const double slow = percent_at("slow");
  const double failing = percent_at("failing");
  const double p50 = Typical(rounds, [](const Result& round) { return round.p50_ms; });
  const double p90 = Typical(rounds, [](const Result& round) { return round.p90_ms; });
  const double p99 = Typical(rounds, [](const Result& round) { return round.p99_ms; });
  const double errors = Typical(rounds, [](const Result& round) {
    return 100.0 * static_cast<double>(round.errors) / static_cast<double>(round.calls);
  });
  report.figures()["policies"].push_back(
      {{"name", policy.name},
       {"service_config", ServiceConfig(policy)},
       {"p50_ms", p50},
       {"p90_ms", p90},
       {"p99_ms", p99},
       {"error_percent", errors},
       {"percent_of_calls", {{"slow", slow}, {"failing", failing}, {"good", good}}},
       {"rounds", rounds}});
  const auto percent = [](double value) { return absl::StrFormat("%.1f%%", value); };
  const auto ms = [](double value) { return absl::StrFormat("%.1f ms", value); };
  report.figures()["table"].push_back({policy.name, ms(p50), ms(p90), ms(p99), percent(errors),
                                       percent(slow), percent(failing),
                                       absl::StrCat(percent(*least), " to ", percent(*most))});
}

// In a process of its own; again if others kept the machine too busy, unless that does not end.
absl::StatusOr<Result> Measure(const std::string& target, std::size_t index) {
  Result result;
  for (int tries = 0; tries < kMostTries; ++tries) {
    testing::Process child({SelfPath(), "--child", target, absl::StrCat(index)});
    const auto line = child.ReadLine(std::chrono::minutes(2));
    if (!line.has_value()) {
      return absl::UnavailableError(absl::StrCat("no result of ", kPolicies[index].name));
    }
    result = nlohmann::json::parse(*line).get<Result>();
    if (result.late_p99_ms < kMostLateMs) break;
    Progress(absl::StrFormat("%s: the machine is %.0f ms behind", kPolicies[index].name,
                             result.late_p99_ms));
  }
  return result;
}

absl::Status Run(Report& report) {
  const Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  Servers servers(registry.endpoint());
  if (absl::Status status = servers.StartAll(); !status.ok()) return status;
  report.figures() = {{"calls_per_s", 1e6 / static_cast<double>(kInterval.count())},
                      {"rounds", kRounds},
                      {"calls_a_round", kMeasuredCalls},
                      {"good_delay_ms", kGoodDelayMs},
                      {"slow_delay_ms", kSlowDelayMs}};
  report.figures()["table"].push_back(
      {"policy", "p50", "p90", "p99", "errors", "calls to slow", "to failing", "to each good one"});
  std::vector<std::vector<Result>> results(std::size(kPolicies));
  for (int round = 1; round <= kRounds; ++round) {
    for (std::size_t i = 0; i < std::size(kPolicies); ++i) {
      const absl::StatusOr<Result> measured = Measure(registry.Target(kService), i);
      if (!measured.ok()) return measured.status();
      const Result& result = results[i].emplace_back(*measured);
      Progress(absl::StrFormat("round %d of %d: %s: p99 %.1f ms, %d errors, %.1f ms late", round,
                               kRounds, kPolicies[i].name, result.p99_ms, result.errors,
                               result.late_p99_ms));
    }
  }
  for (std::size_t i = 0; i < std::size(kPolicies); ++i) {
    AddToReport(report, kPolicies[i], results[i], servers);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main(
      {.name = "policies", .run = turnout::bench::Run, .child = turnout::bench::MeasureHere}, argc,
      argv);
}
