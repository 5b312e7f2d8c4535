// What tests of pickers need: endpoints, calls, scripted randomness.
#ifndef TURNOUT_SRC_BALANCE_TESTING_H_
#define TURNOUT_SRC_BALANCE_TESTING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/random.h"
#include "turnout/picker.h"

namespace turnout::balance::testing {

inline constexpr std::string_view kService = "hwholiday.srv.app";

struct EndpointSpec {
  std::string id = "app-1";
  std::string version = "v1";
  ConnectionState state = ConnectionState::kReady;
  InstanceStatus status = InstanceStatus::kRegistered;
  std::vector<std::string> methods_off = {};
  std::string error = {};  // of the last connection attempt
  std::uint32_t weight = 1;
  Locality locality = {};
  std::map<std::string, std::string> metadata = {};
};

Endpoint MakeEndpoint(const EndpointSpec& spec);

// Ids are app-1, app-2, …; addresses 10.0.0.1:80, 10.0.0.2:80, … (the last two bytes count).
// Versions go round: with {"v1", "v2"}, app-1 is v1, app-2 is v2, app-3 is v1.
std::vector<Endpoint> MakeEndpoints(std::size_t count, const std::vector<std::string>& versions,
                                    ConnectionState state = ConnectionState::kReady);

EndpointGroup GroupOf(const std::vector<Endpoint>& endpoints);

class FakePickArgs final : public PickArgs {
 public:
  std::string_view path() const override { return path_; }
  std::optional<std::string_view> Metadata(std::string_view key) const override;
  int attempt() const override { return attempt_; }
  bool Tried(const Endpoint& endpoint) const override { return tried_.contains(&endpoint); }

  FakePickArgs& Method(std::string_view method);
  FakePickArgs& Version(std::string version) { return Set("version", std::move(version)); }
  FakePickArgs& Set(std::string key, std::string value);
  // As after an attempt that went to `endpoint`.
  FakePickArgs& Retry(const Endpoint& endpoint);

 private:
  std::string path_ = "/proto.Api/ApiTest";
  std::map<std::string, std::string, std::less<>> metadata_;
  int attempt_ = 0;
  std::set<const Endpoint*> tried_;
};

// The numbers it was given, in turn. Below(n) takes the next one, which must be less than n.
class ScriptedRandom final : public base::RandomSource {
 public:
  // `n`: what the tested code passes to Below.
  ScriptedRandom(std::uint64_t n, std::vector<std::uint64_t> results);
  std::uint64_t Next() override;

 private:
  const std::uint64_t n_;
  const std::vector<std::uint64_t> results_;
  std::size_t used_ = 0;
};

// The id of the endpoint; or "queue", "fail: UNAVAILABLE: …", "drop: …"; then, if it connects any,
// ", connect app-1 app-2".
std::string Show(const PickResult& result);

// The builder of a `picker` list; fails the test if the configuration is wrong.
std::shared_ptr<const PickerBuilder> BuilderFor(std::string_view picker_json);

}  // namespace turnout::balance::testing

#endif  // TURNOUT_SRC_BALANCE_TESTING_H_
