// What one pick costs, and what it costs to build the picker anew: `version` over a leaf, ten
// versions, at 10 to 10,000 instances. Every pick asks for another version than the one before.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/balance/policy_config.h"
#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

constexpr std::size_t kVersions = 10;

std::vector<std::string> Versions() {
  std::vector<std::string> versions;
  for (std::size_t i = 0; i < kVersions; ++i) versions.push_back("v" + std::to_string(i));
  return versions;
}

// As records have them: each method of the service is listed, and on.
std::vector<Endpoint> EndpointsWithMethods(std::int64_t count) {
  auto endpoints = testing::MakeEndpoints(static_cast<std::size_t>(count), Versions());
  for (Endpoint& endpoint : endpoints) {
    auto instance = std::make_shared<Instance>(endpoint.instance());
    for (const char* const method : {"Get", "Put", "List", "Delete", "Watch"}) {
      instance->methods[method];
    }
    endpoint.member.instance = std::move(instance);
  }
  return endpoints;
}

// One lookup costs little, so that the picker's own cost shows.
class VersionArgs final : public PickArgs {
 public:
  explicit VersionArgs(std::string_view version) : version_(version) {}
  std::string_view path() const override { return "/proto.Api/ApiTest"; }
  std::optional<std::string_view> Metadata(std::string_view) const override { return version_; }
  int attempt() const override { return 0; }
  bool Tried(const Endpoint&) const override { return false; }

 private:
  const std::string_view version_;
};

std::shared_ptr<const PolicyConfig> ConfigFor(const std::string& leaf) {
  return *ParsePolicyConfig("version", R"({"child":[{")" + leaf + R"(":{}}]})");
}

void BM_Pick(benchmark::State& state, const std::string& leaf) {
  const auto endpoints = EndpointsWithMethods(state.range(0));
  const auto picker = BuildRoot(*ConfigFor(leaf)->picker, testing::kService, endpoints);
  const std::vector<std::string> versions = Versions();
  std::vector<VersionArgs> calls(versions.begin(), versions.end());
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(picker->Pick(calls[next]).endpoint());
    if (++next == calls.size()) next = 0;
  }
}
BENCHMARK_CAPTURE(BM_Pick, version_random, "random")->Arg(10)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Pick, version_round_robin, "round_robin")->Arg(10)->Arg(1'000)->Arg(10'000);

void BM_Build(benchmark::State& state, const std::string& leaf) {
  const auto endpoints = EndpointsWithMethods(state.range(0));
  const auto config = ConfigFor(leaf);
  for (auto _ : state) {
    benchmark::DoNotOptimize(BuildRoot(*config->picker, testing::kService, endpoints));
  }
}
BENCHMARK_CAPTURE(BM_Build, version_random, "random")
    ->Arg(10)
    ->Arg(1'000)
    ->Arg(4'000)
    ->Arg(10'000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace turnout::balance

BENCHMARK_MAIN();
