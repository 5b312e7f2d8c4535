// libFuzzer's target: whatever target a channel is created for, it is refused with an error, or
// stands for a service and endpoints that can be used as they are. No error shows credentials.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "src/model/names.h"
#include "src/model/text.h"
#include "src/registry/clusters.h"

namespace turnout::registry {
namespace {

using fuzz::Check;

// Endpoints that are valid, each once, in the one spelling there is for them.
void CheckEndpoints(const std::vector<std::string>& endpoints) {
  Check(!endpoints.empty(), "no endpoints");
  for (const std::string& endpoint : endpoints) {
    const auto parsed = model::ParseHostPort(endpoint);
    Check(parsed.ok() && parsed->ToString() == endpoint, "an endpoint that is none");
    Check(std::count(endpoints.begin(), endpoints.end(), endpoint) == 1, "an endpoint twice");
  }
}

void CheckError(const absl::Status& status) {
  Check(status.code() == absl::StatusCode::kInvalidArgument, "another code than INVALID_ARGUMENT");
  Check(!status.message().empty(), "an error without words");
}

void Try(std::string_view text) {
  const auto target = ParseTarget(text);
  if (!target.ok()) return CheckError(target.status());
  Check(model::CheckServiceName(target->service).ok(), "a service without a proper name");
  CheckEndpoints(target->options.endpoints);
  // A target says where etcd is, and nothing else.
  RegistryOptions rest = target->options;
  rest.endpoints = {"127.0.0.1:2379"};
  rest.prefix = "";
  Check(rest == *Complete({.endpoints = rest.endpoints}), "more than endpoints from a target");
}

void TryWithPassword(std::string_view text) {
  constexpr std::string_view kPassword = "PASSWORD";
  if (text.find('/') != std::string_view::npos) return;
  const auto target = ParseTarget(model::Concat({"etcd://me:", kPassword, "@", text, "/a.b"}));
  Check(!target.ok(), "takes credentials");
  CheckError(target.status());
  Check(model::Message(target.status()).find(kPassword) == std::string_view::npos,
        "shows a password");
}

}  // namespace
}  // namespace turnout::registry

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  // Not what the machine has set.
  for (const char* const name : {"TURNOUT_ETCD", "TURNOUT_CACHE_DIR"}) unsetenv(name);
  const turnout::RegistryOptions options{.endpoints = {"10.0.0.1:2379"}, .prefix = "/prod"};
  turnout::fuzz::Check(turnout::RegisterCluster("prod", options).ok(), "no cluster `prod`");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  turnout::registry::Try(text);
  turnout::registry::Try(turnout::model::Concat({"etcd://", text, "/a.b"}));
  turnout::registry::TryWithPassword(text);
  return 0;
}
