#include "src/balance/testing.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "src/balance/policy_config.h"
#include "src/model/text.h"

namespace turnout::balance::testing {

Endpoint MakeEndpoint(const EndpointSpec& spec) {
  auto instance = std::make_shared<Instance>();
  instance->service = kService;
  instance->id = spec.id;
  instance->version = spec.version;
  const auto dash = spec.id.rfind('-');
  const int number = std::stoi(spec.id.substr(dash + 1));
  instance->addresses = {model::Concat(
      {"10.0.", std::to_string(number / 256), ".", std::to_string(number % 256), ":80"})};
  instance->weight = spec.weight;
  instance->locality = spec.locality;
  instance->metadata = spec.metadata;
  for (const std::string& method : spec.methods_off) instance->methods[method].online = false;
  Endpoint endpoint;
  endpoint.member = {.instance = std::move(instance),
                     .status = spec.status,
                     .status_since = {},
                     .stats = std::make_shared<InstanceStats>()};
  endpoint.state = spec.state;
  if (!spec.error.empty()) endpoint.last_error = absl::UnknownError(spec.error);
  return endpoint;
}

std::vector<Endpoint> MakeEndpoints(std::size_t count, const std::vector<std::string>& versions,
                                    ConnectionState state) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    endpoints.push_back(MakeEndpoint({.id = "app-" + std::to_string(i + 1),
                                      .version = versions[i % versions.size()],
                                      .state = state}));
  }
  return endpoints;
}

EndpointGroup GroupOf(const std::vector<Endpoint>& endpoints) {
  EndpointGroup::Members members;
  members.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) members.push_back(&endpoint);
  return {kService, std::move(members)};
}

std::optional<std::string_view> FakePickArgs::Metadata(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  return found->second;
}

FakePickArgs& FakePickArgs::Method(std::string_view method) {
  path_ = model::Concat({"/proto.Api/", method});
  return *this;
}

FakePickArgs& FakePickArgs::Set(std::string key, std::string value) {
  metadata_[std::move(key)] = std::move(value);
  return *this;
}

FakePickArgs& FakePickArgs::Retry(const Endpoint& endpoint) {
  ++attempt_;
  tried_.insert(&endpoint);
  return *this;
}

ScriptedRandom::ScriptedRandom(std::uint64_t n, std::vector<std::uint64_t> results)
    : n_(n), results_(std::move(results)) {}

// The middle of the numbers that Below(n_) maps to the result.
std::uint64_t ScriptedRandom::Next() {
  EXPECT_LT(used_, results_.size()) << "the script has ended";
  if (used_ >= results_.size()) return 0;
  const std::uint64_t width = std::numeric_limits<std::uint64_t>::max() / n_;
  return width * results_[used_++] + width / 2;
}

std::string Show(const PickResult& result) {
  std::string text;
  switch (result.kind()) {
    case PickResult::Kind::kEndpoint:
      text = result.endpoint()->instance().id;
      break;
    case PickResult::Kind::kQueue:
      text = "queue";
      break;
    case PickResult::Kind::kFail:
      text = "fail: " + result.status().ToString();
      break;
    case PickResult::Kind::kDrop:
      text = "drop: " + result.status().ToString();
      break;
  }
  if (!result.connect().empty()) text += ", connect";
  for (const Endpoint* const endpoint : result.connect()) text += " " + endpoint->instance().id;
  return text;
}

std::shared_ptr<const PickerBuilder> BuilderFor(std::string_view picker_json) {
  const auto config =
      ParsePolicyConfig("turnout", model::Concat({R"({"picker":)", picker_json, "}"}));
  if (!config.ok()) {
    ADD_FAILURE() << config.status();
    return nullptr;
  }
  return (*config)->picker;
}

}  // namespace turnout::balance::testing
