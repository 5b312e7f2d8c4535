// Each call goes to the instances whose labels have the values that its metadata asks for, among
// which a child picker chooses.
//
//   {"label_match": {"selectors": [{"keys": ["stage", "canary"], "fallback": "default_subset"},
//                                  {"keys": ["stage"]}],
//                    "fallback": "any", "defaultSubset": {"stage": "prod"},
//                    "child": [{"random": {}}]}}
//
// An instance's labels are its record's metadata, and `version`. Of the selectors whose keys are
// all in the call's metadata, the one with the most keys decides.
//
// Pick: O(keys and selectors), a hash of the values that are asked for, no allocation. Build:
// O(endpoints × keys), with a child for each combination of values that a selector finds.
// Source: Envoy's subset load balancer.
#ifndef TURNOUT_SRC_BALANCE_LABEL_MATCH_LABEL_MATCH_H_
#define TURNOUT_SRC_BALANCE_LABEL_MATCH_LABEL_MATCH_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "turnout/picker.h"

namespace turnout::balance {

struct LabelMatchConfig {
  // A call looks up each key once, whatever selectors use it.
  static constexpr std::size_t kMostKeys = 16;
  static constexpr std::size_t kMostSelectors = 16;

  // For calls whose subset does not exist: they fail, or go to any instance, or to the default
  // subset. A subset whose instances cannot be reached at the moment does exist.
  enum class Fallback { kNone, kAny, kDefaultSubset };

  struct Selector {
    std::vector<std::string> keys;
    Fallback fallback;
  };
  std::vector<Selector> selectors;  // those with the most keys first

  // For calls whose metadata has all keys of no selector.
  Fallback fallback = Fallback::kNone;

  // The labels of the default subset.
  std::map<std::string, std::string> default_subset;

  // Chooses among the instances of one subset, and of the fallbacks. Never null in a builder that
  // Builds.
  std::shared_ptr<const PickerBuilder> child;

  // Children are made for so many subsets, so that a label with a value for each instance does not
  // cost more than the instances are worth. Calls for the others fail, and say so.
  std::size_t most_subsets = 10'000;
};

class LabelMatchBuilder final : public PickerBuilder {
 public:
  explicit LabelMatchBuilder(LabelMatchConfig config = {})
      : config_(std::make_shared<const LabelMatchConfig>(std::move(config))) {}

  std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const override;
  std::unique_ptr<const Picker> Build(EndpointGroup group) const override;
  std::optional<std::chrono::milliseconds> rebuild_period() const override;

 private:
  const std::shared_ptr<const LabelMatchConfig> config_;  // pickers share it
};

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_LABEL_MATCH_LABEL_MATCH_H_
