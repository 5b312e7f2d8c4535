#include "src/balance/version/version.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "src/balance/census.h"
#include "src/balance/metadata_key.h"
#include "src/balance/text.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

// The key points into an instance.
using MembersByVersion = std::unordered_map<std::string_view, EndpointGroup::Members>;

MembersByVersion Divide(const EndpointGroup& group) {
  MembersByVersion parts;
  // Neighbours mostly share a version, so the last part is tried before the table.
  MembersByVersion::value_type* last = nullptr;
  for (const Endpoint* const member : group.members()) {
    const std::string_view version = member->instance().version;
    if (last == nullptr || last->first != version) last = &*parts.try_emplace(version).first;
    last->second.push_back(member);
  }
  return parts;
}

// "v1 ×2, v2 ×1"
std::string Describe(const MembersByVersion& parts) {
  std::vector<std::pair<std::string_view, std::size_t>> counts;
  counts.reserve(parts.size());
  for (const auto& [version, members] : parts) counts.emplace_back(version, members.size());
  return Census(std::move(counts), [](std::string_view version) { return Printable(version); });
}

class VersionPicker final : public Picker {
 public:
  VersionPicker(const VersionConfig& config, const EndpointGroup& group)
      : key_(config.key),
        when_absent_(config.when_absent),
        fallback_(config.fallback),
        service_(group.service()) {
    MembersByVersion parts = Divide(group);
    registered_ = Describe(parts);
    by_version_.reserve(parts.size());
    for (auto& [version, members] : parts) {
      by_version_.emplace(version, config.child->Build(group.With(std::move(members), version)));
    }
    if (when_absent_ == VersionConfig::WhenAbsent::kAny ||
        fallback_ == VersionConfig::Fallback::kAny) {
      auto members = group.members();
      any_ = config.child->Build(group.With({members.begin(), members.end()}, "*"));
    }
  }

  PickResult Pick(const PickArgs& args) const override {
    const std::optional<std::string_view> version = args.Metadata(key_);
    if (!version.has_value()) return PickWithoutVersion(args);
    if (const auto found = by_version_.find(*version); found != by_version_.end()) {
      return found->second->Pick(args);
    }
    if (fallback_ == VersionConfig::Fallback::kAny) return any_->Pick(args);
    return NoMatch(model::Concat({"version ", Printable(*version), " of ", service_}));
  }

  bool Wants(const Endpoint& endpoint) const override {
    if (any_ != nullptr && any_->Wants(endpoint)) return true;
    const auto part = by_version_.find(endpoint.instance().version);
    return part != by_version_.end() && part->second->Wants(endpoint);
  }

 private:
  PickResult PickWithoutVersion(const PickArgs& args) const {
    if (when_absent_ == VersionConfig::WhenAbsent::kAny) return any_->Pick(args);
    return NoMatch(model::Concat(
        {"no version of ", service_, " (the call's metadata has no key ", key_, ")"}));
  }

  PickResult NoMatch(std::string_view asked_for) const {
    return PickResult::Fail(absl::UnavailableError(model::Concat(
        {"no match found conn: asked for ", asked_for, "; registered: ", registered_})));
  }

  const std::string key_;
  const VersionConfig::WhenAbsent when_absent_;
  const VersionConfig::Fallback fallback_;
  const std::string_view service_;
  std::string registered_;
  std::unordered_map<std::string_view, std::unique_ptr<const Picker>> by_version_;
  std::unique_ptr<const Picker> any_;  // null where the parameters do not need it
};

}  // namespace

std::shared_ptr<const PickerBuilder> VersionBuilder::Configure(ConfigReader& config) const {
  constexpr std::string_view kWhenAbsent[] = {"any", "fail"};
  constexpr std::string_view kFallback[] = {"none", "any"};
  VersionConfig result;
  result.key = config.String("key", result.key);
  if (!IsTextKey(result.key)) config.Error("key", NotATextKey(result.key));
  result.child = config.Child("child", "random");
  result.when_absent =
      static_cast<VersionConfig::WhenAbsent>(config.Choice("whenAbsent", kWhenAbsent, 0));
  result.fallback = static_cast<VersionConfig::Fallback>(config.Choice("fallback", kFallback, 0));
  return std::make_shared<VersionBuilder>(std::move(result));
}

std::unique_ptr<const Picker> VersionBuilder::Build(EndpointGroup group) const {
  return std::make_unique<VersionPicker>(config_, group);
}

std::optional<std::chrono::milliseconds> VersionBuilder::rebuild_period() const {
  return config_.child->rebuild_period();
}

}  // namespace turnout::balance
