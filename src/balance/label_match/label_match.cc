#include "src/balance/label_match/label_match.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "src/balance/census.h"
#include "src/balance/label_match/labels.h"
#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

using Fallback = LabelMatchConfig::Fallback;
using model::Concat;

// "stage=prod,canary=1"; `print` makes text of a value.
template <typename Print>
std::string Labels(std::span<const std::string> keys, LabelValuesView values, const Print& print) {
  std::string text;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) text += ',';
    text += Concat({keys[i], "=", print(values[i])});
  }
  return text;
}

// For messages.
std::string Shown(std::span<const std::string> keys, LabelValuesView values) {
  return Labels(keys, values, [](std::string_view value) { return Printable(value); });
}

// For groups: different for different values, whatever they consist of.
std::string Name(std::span<const std::string> keys, LabelValuesView values) {
  return Labels(keys, values,
                [](std::string_view value) { return model::Quoted(value, value.size()); });
}

class LabelMatchPicker final : public Picker {
 public:
  LabelMatchPicker(std::shared_ptr<const LabelMatchConfig> config, const EndpointGroup& group)
      : config_(std::move(config)), service_(group.service()), members_(group.members().size()) {
    std::size_t room = config_->most_subsets;
    selectors_.reserve(config_->selectors.size());
    for (const auto& selector : config_->selectors) AddSelector(selector, group, room);
    if (Needs(Fallback::kAny)) {
      const auto members = group.members();
      any_ = config_->child->Build(group.With({members.begin(), members.end()}, "*"));
    }
    if (Needs(Fallback::kDefaultSubset)) BuildDefault(group);
  }

  PickResult Pick(const PickArgs& args) const override {
    std::array<std::string_view, LabelMatchConfig::kMostKeys> asked;
    std::uint32_t present = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::optional<std::string_view> value = args.Metadata(keys_[i]);
      if (!value.has_value()) continue;
      asked[i] = *value;
      present |= 1u << i;
    }
    for (const Selector& selector : selectors_) {
      if ((selector.mask & ~present) == 0) return PickSubset(selector, asked, args);
    }
    return FallBack(config_->fallback, args, [this] { return NoSelector(); });
  }

  bool Wants(const Endpoint& endpoint) const override {
    if (any_ != nullptr && any_->Wants(endpoint)) return true;
    if (default_ != nullptr && InDefault(endpoint) && default_->Wants(endpoint)) return true;
    LabelValues values;
    return std::ranges::any_of(selectors_, [&](const Selector& selector) {
      if (!ReadLabels(endpoint.instance(), selector.keys, values)) return false;
      const auto found = selector.subsets.find(values);
      return found != selector.subsets.end() && found->second != nullptr &&
             found->second->Wants(endpoint);
    });
  }

 private:
  struct Selector {
    std::span<const std::string> keys;
    std::vector<std::size_t> at;  // where in `keys_` they are
    std::uint32_t mask = 0;       // the same as bits
    Fallback fallback;
    ByLabelValues<std::unique_ptr<const Picker>> subsets;  // null: one too many
    std::string registered;
  };

  bool Needs(Fallback fallback) const {
    return config_->fallback == fallback ||
           std::ranges::any_of(selectors_,
                               [&](const Selector& each) { return each.fallback == fallback; });
  }

  std::size_t IndexOf(std::string_view key) {
    const auto found = std::ranges::find(keys_, key);
    if (found != keys_.end()) return static_cast<std::size_t>(found - keys_.begin());
    keys_.push_back(key);
    return keys_.size() - 1;
  }

  void AddSelector(const LabelMatchConfig::Selector& config, const EndpointGroup& group,
                   std::size_t& room) {
    Selector& selector = selectors_.emplace_back();
    selector.keys = config.keys;
    selector.fallback = config.fallback;
    for (const std::string& key : config.keys) {
      selector.at.push_back(IndexOf(key));
      selector.mask |= 1u << selector.at.back();
    }
    auto parts = DivideByLabels(group.members(), config.keys);
    selector.registered = Describe(config.keys, parts);
    selector.subsets.reserve(parts.size());
    for (auto& [values, members] : parts) {
      std::unique_ptr<const Picker> child;
      if (room > 0) {
        --room;
        child = config_->child->Build(group.With(std::move(members), Name(config.keys, values)));
      }
      selector.subsets.emplace(values, std::move(child));
    }
  }

  static std::string Describe(std::span<const std::string> keys,
                              const ByLabelValues<EndpointGroup::Members>& parts) {
    struct InOrder {  // without a copy of the values
      const LabelValues* values;
      bool operator==(const InOrder& other) const { return *values == *other.values; }
      auto operator<=>(const InOrder& other) const { return *values <=> *other.values; }
    };
    std::vector<std::pair<InOrder, std::size_t>> counts;
    counts.reserve(parts.size());
    for (const auto& [values, members] : parts) {
      counts.emplace_back(InOrder{&values}, members.size());
    }
    return Census(std::move(counts), [&](InOrder each) { return Shown(keys, *each.values); });
  }

  void BuildDefault(const EndpointGroup& group) {
    EndpointGroup::Members members;
    std::ranges::copy_if(group.members(), std::back_inserter(members),
                         [this](const Endpoint* member) { return InDefault(*member); });
    if (!members.empty())
      default_ = config_->child->Build(group.With(std::move(members), "default"));
  }

  bool InDefault(const Endpoint& endpoint) const {
    return std::ranges::all_of(config_->default_subset, [&](const auto& label) {
      return LabelOf(endpoint.instance(), label.first) == label.second;
    });
  }

  PickResult PickSubset(const Selector& selector, LabelValuesView asked,
                        const PickArgs& args) const {
    std::array<std::string_view, LabelMatchConfig::kMostKeys> buffer;
    for (std::size_t i = 0; i < selector.at.size(); ++i) buffer[i] = asked[selector.at[i]];
    const LabelValuesView values(buffer.data(), selector.at.size());
    const auto found = selector.subsets.find(values);
    if (found == selector.subsets.end()) {
      return FallBack(selector.fallback, args, [&] { return NoSubset(selector, values); });
    }
    if (found->second == nullptr) return TooMany(selector, values);
    return found->second->Pick(args);
  }

  template <typename NoMatch>
  PickResult FallBack(Fallback fallback, const PickArgs& args, const NoMatch& no_match) const {
    if (fallback == Fallback::kAny) return any_->Pick(args);
    if (fallback == Fallback::kDefaultSubset && default_ != nullptr) return default_->Pick(args);
    std::string why = no_match();
    if (fallback == Fallback::kDefaultSubset) why += "; the default subset is empty";
    return PickResult::Fail(absl::UnavailableError(why));
  }

  std::string NoSubset(const Selector& selector, LabelValuesView values) const {
    return Concat({"no match found conn: asked for ", Shown(selector.keys, values), " of ",
                   service_, "; registered: ", selector.registered});
  }

  std::string NoSelector() const {
    std::string wanted;
    for (const Selector& selector : selectors_) {
      if (!wanted.empty()) wanted += " or ";
      for (std::size_t i = 0; i < selector.keys.size(); ++i) {
        wanted += Concat({i > 0 ? "," : "", selector.keys[i]});
      }
    }
    return Concat({"no match found conn: asked for no labels of ", service_,
                   " (the call's metadata lacks ", wanted,
                   "); registered: ", Counted(members_, "instance")});
  }

  PickResult TooMany(const Selector& selector, LabelValuesView values) const {
    return PickResult::Fail(absl::UnavailableError(
        Concat({"label_match divides ", service_, " into at most ",
                std::to_string(config_->most_subsets), " subsets, and ",
                Shown(selector.keys, values), " is beyond; select by labels with fewer values"})));
  }

  const std::shared_ptr<const LabelMatchConfig> config_;
  const std::string_view service_;
  const std::size_t members_;
  std::vector<std::string_view> keys_;     // of all selectors, each once
  std::vector<Selector> selectors_;        // in the configuration's order
  std::unique_ptr<const Picker> any_;      // null where the parameters do not need it
  std::unique_ptr<const Picker> default_;  // the same; also where it would be empty
};

}  // namespace

std::unique_ptr<const Picker> LabelMatchBuilder::Build(EndpointGroup group) const {
  return std::make_unique<LabelMatchPicker>(config_, group);
}

std::optional<std::chrono::milliseconds> LabelMatchBuilder::rebuild_period() const {
  return config_->child->rebuild_period();
}

}  // namespace turnout::balance
