#include "src/route/destination_pickers.h"

#include <algorithm>
#include <array>
#include <optional>

#include "src/model/text.h"

namespace turnout::route {
namespace {

using model::Concat;

// A label with a value for each instance must not cost more than the instances are worth. Calls for
// the values beyond find nobody.
constexpr std::size_t kMostParts = 10'000;

// "lane=\"blue\"", to tell a part from the others whatever the values consist of.
std::string Name(const std::vector<std::string>& labels, balance::LabelValuesView values) {
  std::string name;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    name += Concat({i == 0 ? "" : ",", labels[i], "=", model::Quoted(values[i], values[i].size())});
  }
  return name;
}

}  // namespace

DestinationPicker::DestinationPicker(const Destination& destination, const PickerBuilder& builder)
    : destination_(destination), builder_(builder) {
  for (const auto& [label, key] : destination.labels_from_metadata) {
    labels_.push_back(label);
    keys_.push_back(key);
  }
}

void DestinationPicker::Build(const EndpointGroup& group) {
  if (members_.empty()) return;
  const std::string name = Concat({"rules: ", destination_.Key()});
  if (labels_.empty()) {
    all_ = builder_.Build(group.With(std::move(members_), name));
    return;
  }
  auto parts = balance::DivideByLabels(members_, labels_);
  by_values_.reserve(std::min(parts.size(), kMostParts));
  for (auto& [values, members] : parts) {
    if (by_values_.size() == kMostParts) break;
    by_values_.emplace(
        values,
        builder_.Build(group.With(std::move(members), Concat({name, " ", Name(labels_, values)}))));
  }
  members_.clear();
}

const Picker* DestinationPicker::For(const PickArgs& args) const {
  if (labels_.empty()) return all_.get();
  std::array<std::string_view, kMostKeys> values;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::optional<std::string_view> value = args.Metadata(keys_[i]);
    if (!value.has_value()) return nullptr;
    values[i] = *value;
  }
  const auto found = by_values_.find(balance::LabelValuesView(values.data(), keys_.size()));
  return found == by_values_.end() ? nullptr : found->second.get();
}

bool DestinationPicker::Wants(const Endpoint& endpoint) const {
  if (!destination_.Matches(endpoint.instance())) return false;
  if (all_ != nullptr) return all_->Wants(endpoint);
  balance::LabelValues values;
  if (!balance::ReadLabels(endpoint.instance(), labels_, values)) return false;
  const auto found = by_values_.find(values);
  return found != by_values_.end() && found->second->Wants(endpoint);
}

std::size_t DestinationPickers::Place(const Destination& destination,
                                      const PickerBuilder& builder) {
  const auto [place, added] = places_.try_emplace({destination.Key(), &builder}, pickers_.size());
  if (added) pickers_.emplace_back(destination, builder);
  return place->second;
}

void DestinationPickers::Build(const EndpointGroup& group) {
  // Most instances share their version with many others, and a version is worth parsing once.
  std::unordered_map<std::string_view, std::vector<DestinationPicker*>> by_version;
  const auto fitting = [&](std::string_view version) -> const std::vector<DestinationPicker*>& {
    const auto [found, added] = by_version.try_emplace(version);
    if (!added) return found->second;
    for (DestinationPicker& picker : pickers_) {
      const auto& pattern = picker.destination().version;
      if (!pattern.has_value() || pattern->Matches(version)) found->second.push_back(&picker);
    }
    return found->second;
  };
  for (const Endpoint* const member : group.members()) {
    for (DestinationPicker* const picker : fitting(member->instance().version)) {
      if (picker->destination().MatchesLabels(member->instance())) picker->Add(member);
    }
  }
  for (DestinationPicker& picker : pickers_) picker.Build(group);
}

bool DestinationPickers::Wants(const Endpoint& endpoint) const {
  return std::ranges::any_of(
      pickers_, [&endpoint](const DestinationPicker& picker) { return picker.Wants(endpoint); });
}

}  // namespace turnout::route
