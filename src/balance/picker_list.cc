#include "src/balance/picker_list.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "src/balance/json.h"
#include "src/balance/picker_registry.h"
#include "src/balance/text.h"
#include "src/model/text.h"
#include "turnout/config_reader.h"

namespace turnout::balance {
namespace {

using nlohmann::json;

constexpr int kMostNesting = 8;

// Stands in where a configuration is wrong, so that the rest of it can be checked.
class UnusableBuilder final : public PickerBuilder {
 public:
  std::unique_ptr<const Picker> Build(EndpointGroup) const override {
    class Unusable final : public Picker {
      PickResult Pick(const PickArgs&) const override {
        return PickResult::Fail(absl::UnavailableError("the picker's configuration is wrong"));
      }
    };
    return std::make_unique<Unusable>();
  }
};

std::shared_ptr<const PickerBuilder> Configured(std::shared_ptr<const PickerBuilder> builder,
                                                const json& parameters, const Place& place) {
  std::shared_ptr<const PickerBuilder> configured;
  ReadObject(parameters, place,
             [&](ConfigReader& reader) { configured = builder->Configure(reader); });
  return configured != nullptr ? configured : builder;
}

}  // namespace

bool CheckNamed(const json& element, const Place& place) {
  if (element.is_object() && element.size() == 1) return true;
  place.Error("must be an object with exactly one key, a name, got " + Shown(element));
  return false;
}

std::shared_ptr<const PickerBuilder> ReadPickers(const json& list, const Place& place) {
  std::shared_ptr<const PickerBuilder> result = std::make_shared<UnusableBuilder>();
  if (!list.is_array()) {
    place.Error("must be a list of pickers, got " + Shown(list));
    return result;
  }
  bool found = false;
  bool all_named = true;
  std::string unknown;  // the first name that nobody knows
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Place element = place.At(i);
    if (!CheckNamed(list[i], element)) {
      all_named = false;
      continue;
    }
    if (found) continue;
    const auto entry = list[i].begin();
    const auto builder = FindPickerBuilder(entry.key());
    if (builder == nullptr) {
      if (unknown.empty()) unknown = entry.key();
      continue;
    }
    found = true;
    Place inside = element.At(entry.key());
    if (++inside.nesting > kMostNesting) {
      inside.Error("pickers may be nested at most 8 deep");
    } else {
      result = Configured(builder, *entry, inside);
    }
  }
  if (!found && all_named) {
    const std::vector<std::string> known = PickerNames();
    const std::string what =
        list.empty() ? "names no picker" : "names no known picker, got " + Shown(list);
    place.Error(model::Concat({what, "; known: ", Listed(known), DidYouMean(unknown, known)}));
  }
  return result;
}

}  // namespace turnout::balance
