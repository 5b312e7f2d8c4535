// What traffic rules cost a call, and how soon calls follow a change of them.
//
// The cost is what 20 rules add to a call by `version` alone: the decision, made once for each
// call, and the way through the destinations, at each pick. The rule that matches is the last one,
// so that all conditions are looked at: five kinds, taken in turn.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/support/bare_watch.h"
#include "bench/support/benchmark.h"
#include "bench/support/client.h"
#include "bench/support/registry.h"
#include "bench/support/server.h"
#include "bench/support/spinner.h"
#include "src/balance/policy_config.h"
#include "src/base/random.h"
#include "src/grpc/v1_51/selection_timer.h"
#include "src/route/route_builder.h"
#include "src/route/router.h"

namespace turnout::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Metadata = std::vector<std::pair<std::string, std::string>>;

constexpr int kRules = 20;
constexpr char kPath[] = "/proto.Api/ApiTest";

const Caller& TheCaller() {
  static const Caller& caller = *new Caller{.service = "bench.caller", .version = "v2"};
  return caller;
}

// As a call has it; the first is what `version` looks at.
const Metadata& CallMetadata() {
  static const Metadata& metadata =
      *new Metadata{{"version", "v3"}, {"user-id", "u-4711"}, {"x-region", "eu-west"}};
  return metadata;
}

// None of the first ones matches the call; the last one does.
std::string Document(int rules) {
  constexpr const char* kConditions[] = {
      R"("method":{"exact":"/proto.Api/Other"})",
      R"("metadata":[{"key":"x-tester","present":true}])",
      R"("percentage":{"key":"user-id","percent":0.001})",
      R"("metadata":[{"key":"x-region","prefix":"us-"}])",
      R"("metadata":[{"key":"x-region","regex":"(us|ap)-.*"}])",
  };
  std::string text = R"({"rules":[)";
  for (int i = 0; i + 1 < rules; ++i) {
    absl::StrAppend(&text, R"({"name":"rule-)", i, R"(","match":{"caller":{"version":"v2"},)",
                    kConditions[i % 5], R"(},"route":{"destinations":[{"version":"v)", i % 5 + 1,
                    R"("}]}},)");
  }
  return absl::StrCat(text, R"({"name":"last","match":{"method":{"prefix":"/proto.Api/"}},)",
                      R"("route":{"destinations":[{"weight":9,"version":"v3"},)",
                      R"({"weight":1,"version":">=v3"}]}}]})");
}

std::shared_ptr<const route::Router> MakeRouter(int rules) {
  if (rules == 0) return nullptr;
  return std::make_shared<const route::Router>(*route::RuleSet::Parse(Document(rules)),
                                               TheCaller());
}

// --- in the pure layer

class Args final : public PickArgs, public route::CallFacts {
 public:
  std::string_view path() const override { return kPath; }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    for (const auto& [name, value] : CallMetadata()) {
      if (name == key) return value;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    return Metadata(std::string_view{key});
  }
  int attempt() const override { return 0; }
  bool Tried(const Endpoint&) const override { return false; }
  const route::Decision* decision() const override {
    return decision_.router == nullptr ? nullptr : &decision_;
  }
  void Decide(const route::Router& router) {
    decision_ = router.Decide(*this, base::ThreadRandom());
  }

 private:
  route::Decision decision_;
};

std::vector<Endpoint> MakeEndpoints(int count) {
  std::vector<Endpoint> endpoints;
  for (int i = 0; i < count; ++i) {
    auto instance = std::make_shared<Instance>();
    instance->service = "bench.app";
    instance->id = absl::StrFormat("app-%06d", i);
    instance->version = absl::StrCat("v", i % 5 + 1);
    instance->addresses = {absl::StrFormat("10.0.%d.%d:80", i / 256, i % 256)};
    endpoints.push_back(
        {.member = {.instance = std::move(instance), .stats = std::make_shared<InstanceStats>()},
         .state = ConnectionState::kReady});
  }
  return endpoints;
}

struct Subject {
  std::string name;
  std::shared_ptr<const route::Router> router;
  std::unique_ptr<const Picker> picker;
  std::vector<double> ns = {};
};

double MeasurePure(const Subject& subject) {
  constexpr int kCalls = 20'000;
  Args args;
  int picked = 0;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kCalls; ++i) {
    if (subject.router != nullptr) args.Decide(*subject.router);
    picked += subject.picker->Pick(args).kind() == PickResult::Kind::kEndpoint ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> taken = Clock::now() - begin;
  return picked == kCalls ? taken.count() / kCalls : -1;
}

absl::Status MeasureCost(Report& report) {
  constexpr int kRepetitions = 51;
  const auto config = balance::ParsePolicyConfig("turnout", "{}");
  if (!config.ok()) return config.status();
  const auto endpoints = MakeEndpoints(1'000);
  std::vector<Subject> pure;
  std::vector<std::pair<std::string, std::unique_ptr<adapter::SelectionTimer>>> selections;
  for (const int rules : {0, 1, kRules}) {
    const std::string name = rules == 0 ? "version alone" : absl::StrCat("rules: ", rules);
    const auto router = MakeRouter(rules);
    const route::RouteBuilder builder((*config)->picker, router);
    pure.push_back({name, router, balance::BuildRoot(builder, "bench.app", endpoints)});
    selections.emplace_back(
        name, std::make_unique<adapter::SelectionTimer>(router, kPath, CallMetadata()));
  }
  std::vector<std::vector<double>> selection_ns(selections.size());
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {  // in turn
    for (Subject& subject : pure) {
      subject.ns.push_back(MeasurePure(subject));
      if (subject.ns.back() < 0) return absl::InternalError("a pick found no instance");
    }
    for (std::size_t i = 0; i < selections.size(); ++i) {
      selection_ns[i].push_back(selections[i].second->Measure(6'400));
      if (selection_ns[i].back() < 0) return absl::InternalError("a call was denied");
    }
  }
  for (std::size_t i = 0; i < pure.size(); ++i) {
    report.figures()["pure"][pure[i].name] = Summary(pure[i].ns);
    report.figures()["selection"][pure[i].name] = Summary(selection_ns[i]);
    Progress(absl::StrFormat("%s: decided and picked in %.1f ns; in a channel, decided in %.1f ns",
                             pure[i].name, Median(pure[i].ns), Median(selection_ns[i])));
  }
  const double decided = Median(selection_ns.back()) - Median(selection_ns.front());
  report.AtMost("20 rules, pure: decision and pick, beyond version alone",
                Median(pure.back().ns) - Median(pure.front().ns), 300, "ns");
  report.AtMost("20 rules, in a channel: decision, beyond a channel without rules", decided, 300,
                "ns");
  return absl::OkStatus();
}

// --- a change

constexpr char kService[] = "bench.app";
constexpr int kRounds = 200;
constexpr std::chrono::milliseconds kLastCallsArrive{20};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string To(const std::string& version) {
  return absl::StrCat(R"({"default":{"route":{"destinations":[{"version":")", version, R"("}]}}})");
}

// Each round sends the calls of all channels from one instance to the other. The last call that
// still went to the former one says when the last channel obeyed.
absl::Status MeasureChange(int channels, Report& report) {
  Registry registry;
  report.machine()["etcd"] = registry.etcd_version();
  auto server = Server::Start();
  if (!server.ok()) return server.status();
  const std::string addresses[] = {(*server)->Address(0), (*server)->Address(1)};
  registry.Register(kService, {"one", "v1", addresses[0]});
  registry.Register(kService, {"two", "v2", addresses[1]});
  testing::EtcdAdmin admin(registry.endpoint());
  const std::string key = absl::StrCat("/turnout/rules/", kService);
  admin.Put(key, To("v1"));
  std::vector<std::unique_ptr<Spinner>> spinners;
  for (int i = 0; i < channels; ++i) {
    spinners.push_back(
        std::make_unique<Spinner>(EtcdChannel(registry.Target(kService), kVersionThenRandom), ""));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::vector<double> between, bare;
  for (int round = 0; round < kRounds; ++round) {
    const int from = round % 2;
    // A watch of its own for each round, since it remembers the first event of a key.
    BareWatch watch(registry.endpoint(), key);
    const Clock::time_point begin = Clock::now();
    admin.Put(key, To(from == 0 ? "v2" : "v1"));
    const auto seen = watch.ArrivalOf(key, BareWatch::Event::kPut);
    if (!seen.has_value()) return absl::DeadlineExceededError("the bare watch saw no put");
    std::this_thread::sleep_for(kLastCallsArrive);
    Clock::time_point last{};
    for (const auto& spinner : spinners) {
      if (absl::Status status = spinner->status(); !status.ok()) return status;
      last = std::max(last, spinner->LastArrivalAt(addresses[from]));
    }
    if (Clock::now() - last < kLastCallsArrive / 2) {
      return absl::InternalError("calls still go where the rules do not send them");
    }
    bare.push_back(Milliseconds(*seen - begin));
    between.push_back(Milliseconds(last - *seen));
  }
  const std::string name = absl::StrFormat("%d channel%s", channels, channels == 1 ? "" : "s");
  report.figures()["change"][name] = {{"put_to_bare_watch_ms", Summary(bare)},
                                      {"bare_watch_to_last_call_elsewhere_ms", Summary(between)}};
  Progress(absl::StrFormat("%s: obeyed %.2f ms after a bare watch (p99 %.2f)", name,
                           Median(between), Percentile(between, 99)));
  report.AtMost(absl::StrCat("rules changed: obeyed, beyond a bare watch, ", name, ": median"),
                Median(between), 2, "ms");
  return absl::OkStatus();
}

absl::Status Run(Report& report) {
  if (absl::Status status = MeasureCost(report); !status.ok()) return status;
  for (const int channels : {1, 4}) {
    if (absl::Status status = MeasureChange(channels, report); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  return turnout::bench::Main({.name = "rules", .run = turnout::bench::Run}, argc, argv);
}
