#include <algorithm>
#include <functional>
#include <set>

#include "src/balance/label_match/label_match.h"
#include "src/balance/metadata_key.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using Fallback = LabelMatchConfig::Fallback;

// What is read while the selectors are read, and what it takes to judge them.
struct Reading {
  LabelMatchConfig config;
  std::set<std::string> keys;                  // of all selectors
  std::set<std::set<std::string>> selections;  // the keys of each
};

Fallback ReadFallback(ConfigReader& config, Fallback otherwise) {
  constexpr std::string_view kFallback[] = {"none", "any", "default_subset"};
  return static_cast<Fallback>(
      config.Choice("fallback", kFallback, static_cast<std::size_t>(otherwise)));
}

void CheckLabel(ConfigReader& config, std::string_view where, const std::string& key) {
  if (!IsTextKey(key)) config.Error(where, NotATextKey(key));
  if (key.starts_with("turnout.")) {
    config.Error(where,
                 model::Concat({"must be a label that users set, got ", model::Quoted(key)}));
  }
}

void ReadSelector(ConfigReader& config, Reading& reading) {
  LabelMatchConfig::Selector selector;
  selector.keys = config.Strings("keys");
  selector.fallback = ReadFallback(config, reading.config.fallback);
  if (selector.keys.empty()) config.Error("keys", "must name at least one metadata key, got []");
  std::set<std::string> own;
  for (const std::string& key : selector.keys) {
    CheckLabel(config, "keys", key);
    if (!own.insert(key).second) {
      config.Error("keys",
                   model::Concat({"must name each key once, got ", model::Quoted(key), " twice"}));
    }
  }
  reading.keys.insert(own.begin(), own.end());
  if (!own.empty() && !reading.selections.insert(std::move(own)).second) {
    config.Error("keys", "must be another set of keys than those of the selectors before it");
  }
  reading.config.selectors.push_back(std::move(selector));
}

void CheckSizes(ConfigReader& config, const Reading& reading) {
  const std::size_t selectors = reading.config.selectors.size();
  if (selectors < 1 || selectors > LabelMatchConfig::kMostSelectors) {
    config.Error("selectors",
                 model::Concat({"must be a list of objects, 1 to ",
                                std::to_string(LabelMatchConfig::kMostSelectors), " of them"}));
  }
  if (reading.keys.size() > LabelMatchConfig::kMostKeys) {
    config.Error(
        "selectors",
        model::Concat({"must name at most ", std::to_string(LabelMatchConfig::kMostKeys),
                       " different keys in all, got ", std::to_string(reading.keys.size())}));
  }
}

void ReadDefaultSubset(ConfigReader& config, Reading& reading) {
  const LabelMatchConfig& so_far = reading.config;
  const bool needed = so_far.fallback == Fallback::kDefaultSubset ||
                      std::ranges::any_of(so_far.selectors, [](const auto& selector) {
                        return selector.fallback == Fallback::kDefaultSubset;
                      });
  auto labels = config.StringMap("defaultSubset");
  if (needed && labels.empty()) {
    config.Error("defaultSubset", "must name at least one label, as a fallback is default_subset");
  }
  for (const auto& [key, value] : labels) CheckLabel(config, "defaultSubset", key);
  reading.config.default_subset = std::move(labels);
}

}  // namespace

std::shared_ptr<const PickerBuilder> LabelMatchBuilder::Configure(ConfigReader& config) const {
  Reading reading;
  reading.config.fallback = ReadFallback(config, reading.config.fallback);
  config.Objects("selectors", [&](ConfigReader& selector) { ReadSelector(selector, reading); });
  CheckSizes(config, reading);
  ReadDefaultSubset(config, reading);
  reading.config.child = config.Child("child", "random");
  std::ranges::stable_sort(reading.config.selectors, std::greater(),
                           [](const auto& selector) { return selector.keys.size(); });
  return std::make_shared<LabelMatchBuilder>(std::move(reading.config));
}

}  // namespace turnout::balance
