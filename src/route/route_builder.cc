#include "src/route/route_builder.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "src/balance/census.h"
#include "src/balance/text.h"
#include "src/model/text.h"
#include "src/route/destination_pickers.h"

namespace turnout::route {
namespace {

using model::Concat;

// The call, without the version that it asks for.
class WithoutVersion final : public PickArgs {
 public:
  explicit WithoutVersion(const PickArgs& args) : args_(args) {}

  std::string_view path() const override { return args_.path(); }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    return key == "version" ? std::nullopt : args_.Metadata(key);
  }
  int attempt() const override { return args_.attempt(); }
  bool Tried(const Endpoint& endpoint) const override { return args_.Tried(endpoint); }
  const Decision* decision() const override { return args_.decision(); }

 private:
  const PickArgs& args_;
};

// "v1 ×2, v2 ×1"
std::string Registered(const EndpointGroup& group) {
  std::map<std::string_view, std::size_t> counts;
  for (const Endpoint* const member : group.members()) ++counts[member->instance().version];
  return balance::Census(
      std::vector<std::pair<std::string_view, std::size_t>>(counts.begin(), counts.end()),
      [](std::string_view version) { return balance::Printable(version); });
}

class RoutePicker final : public Picker {
 public:
  RoutePicker(const std::shared_ptr<const PickerBuilder>& configured, const Router* router,
              const std::vector<std::shared_ptr<const Router>>& former, EndpointGroup group)
      : service_(group.service()),
        empty_(group.members().empty()),
        registered_(Registered(group)),
        configured_builder_(configured),
        wants_all_(router == nullptr || router->may_be_silent()) {
    if (router != nullptr) wants_all_ |= AddRouter(*router);
    for (const auto& each : former) wants_all_ |= AddRouter(*each) || each->may_be_silent();
    pickers_.Build(group);
    configured_ = configured->Build(std::move(group));
  }

  PickResult Pick(const PickArgs& args) const override {
    const Decision* const decision = args.decision();
    if (decision == nullptr || decision->rule == nullptr) return configured_->Pick(args);
    const auto table = std::ranges::find(tables_, decision->router->id(), &Table::router);
    // A picker that knows it is about to be published.
    if (table == tables_.end()) return PickResult::Queue();
    const Route* const route = decision->rule->route();
    if (route == nullptr) return configured_->Pick(args);  // denials end before the first pick
    if (route->ignores_call_version) {
      return PickRouted(*table, *decision, *route, args, WithoutVersion(args));
    }
    return PickRouted(*table, *decision, *route, args, args);
  }

  bool Wants(const Endpoint& endpoint) const override {
    return (wants_all_ && configured_->Wants(endpoint)) || pickers_.Wants(endpoint);
  }

 private:
  // Where the destinations of one router's rules are.
  struct Table {
    std::uint64_t router;
    std::shared_ptr<const RuleSet> rules;          // pickers refer to it
    std::vector<std::vector<std::size_t>> places;  // by rule and destination
  };

  // May its rules send a call to any instance?
  bool AddRouter(const Router& router) {
    bool any = false;
    Table& table = tables_.emplace_back(Table{router.id(), router.rules(), {}});
    table.places.resize(router.rules()->rules().size());
    for (const std::size_t index : router.candidates()) {
      const Route* const route = router.rules()->rules()[index].route();
      if (route == nullptr) continue;
      const PickerBuilder& builder =
          route->picker == nullptr ? *configured_builder_ : *route->picker;
      for (const Destination& destination : route->destinations) {
        table.places[index].push_back(pickers_.Place(destination, builder));
      }
      any |= route->fallback == Route::Fallback::kAny;
    }
    return any;
  }

  // `inside`: the call as those see it who choose within a destination.
  PickResult PickRouted(const Table& table, const Decision& decision, const Route& route,
                        const PickArgs& args, const PickArgs& inside) const {
    const std::vector<std::size_t>& places = table.places[decision.rule_index];
    const std::size_t tries = route.fallback == Route::Fallback::kNext ? places.size() : 1;
    for (std::size_t i = 0; i < tries; ++i) {
      const std::size_t destination = (decision.destination + i) % places.size();
      const Picker* const picker = pickers_[places[destination]].For(args);
      if (picker == nullptr) continue;
      return Explained(picker->Pick(inside), *decision.rule, route.destinations[destination]);
    }
    if (route.fallback == Route::Fallback::kAny && !empty_) return configured_->Pick(inside);
    return NoMatch(decision, route, args);
  }

  // The child knows only its part; whoever reads its complaint should know who chose the part.
  PickResult Explained(PickResult result, const Rule& rule, const Destination& destination) const {
    if (result.kind() != PickResult::Kind::kFail) return result;
    return PickResult::Fail(absl::Status(
        result.status().code(),
        Concat({model::Message(result.status()), "; rule ", model::Quoted(rule.name), " leaves ",
                destination.ToString(), " of ", service_, ", which has ", registered_})));
  }

  PickResult NoMatch(const Decision& decision, const Route& route, const PickArgs& args) const {
    const bool goes_on = route.fallback == Route::Fallback::kNext;
    const std::size_t tried = goes_on ? route.destinations.size() : 1;
    std::string wanted;
    std::map<std::string_view, std::string> asked;  // the metadata that destinations go by
    for (std::size_t i = 0; i < tried; ++i) {
      const std::size_t next = (decision.destination + i) % route.destinations.size();
      const Destination& destination = route.destinations[next];
      wanted += (i == 0 ? "" : " or ") + destination.ToString();
      for (const auto& [label, key] : destination.labels_from_metadata) {
        const std::optional<std::string_view> value = args.Metadata(key);
        asked[key] = value.has_value() ? balance::Printable(*value) : "absent";
      }
    }
    std::string text =
        Concat({"no match found conn: rule ", model::Quoted(decision.rule->name), " asks for ",
                wanted, " of ", service_, "; registered: ", registered_});
    for (const auto& [key, value] : asked) text += Concat({"; metadata ", key, ": ", value});
    return PickResult::Fail(absl::UnavailableError(text));
  }

  const std::string_view service_;
  const bool empty_;
  const std::string registered_;
  const std::shared_ptr<const PickerBuilder> configured_builder_;
  bool wants_all_;
  std::vector<Table> tables_;
  DestinationPickers pickers_;
  std::unique_ptr<const Picker> configured_;
};

}  // namespace

std::unique_ptr<const Picker> RouteBuilder::Build(EndpointGroup group) const {
  if (router_ == nullptr && former_.empty()) return configured_->Build(std::move(group));
  return std::make_unique<RoutePicker>(configured_, router_.get(), former_, std::move(group));
}

std::optional<std::chrono::milliseconds> RouteBuilder::rebuild_period() const {
  std::optional<std::chrono::milliseconds> shortest = configured_->rebuild_period();
  if (router_ == nullptr) return shortest;
  for (const std::size_t index : router_->candidates()) {
    const Route* const route = router_->rules()->rules()[index].route();
    if (route == nullptr || route->picker == nullptr) continue;
    const auto period = route->picker->rebuild_period();
    if (period.has_value() && (!shortest.has_value() || *period < *shortest)) shortest = period;
  }
  return shortest;
}

}  // namespace turnout::route
