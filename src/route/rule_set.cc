#include "src/route/rule_set.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "src/balance/config_place.h"
#include "src/balance/json.h"
#include "src/balance/label_match/labels.h"
#include "src/balance/text.h"
#include "src/model/text.h"
#include "src/route/document_reader.h"
#include "turnout/config_reader.h"

namespace turnout::route {
namespace {

using model::Concat;
using nlohmann::json;

// "version v2, lane=blue"; `print` makes text of what the document says.
template <typename Print>
std::string Describe(const Destination& destination, const Print& print) {
  std::string text;
  const auto add = [&text](std::initializer_list<std::string_view> parts) {
    if (!text.empty()) text += ", ";
    text += Concat(parts);
  };
  if (destination.version.has_value()) add({"version ", print(destination.version->text())});
  for (const auto& [label, value] : destination.labels) add({print(label), "=", print(value)});
  for (const std::string& label : destination.without_labels) add({"no ", print(label)});
  for (const auto& [label, key] : destination.labels_from_metadata) {
    add({print(label), "=(metadata ", key, ")"});
  }
  return text;
}

// Paths begin with the document's own fields, not with a dot.
absl::Status ToStatus(std::vector<std::string> errors) {
  for (std::string& error : errors) {
    if (error.starts_with('.')) error.erase(0, 1);
    if (error.starts_with(':')) error.insert(0, "document");
  }
  return balance::ToStatus(errors);
}

}  // namespace

bool Destination::Matches(const Instance& instance) const {
  return (!version.has_value() || version->Matches(instance.version)) && MatchesLabels(instance);
}

bool Destination::MatchesLabels(const Instance& instance) const {
  return std::ranges::all_of(labels,
                             [&instance](const auto& label) {
                               return balance::LabelOf(instance, label.first) == label.second;
                             }) &&
         std::ranges::none_of(without_labels, [&instance](const std::string& label) {
           return balance::LabelOf(instance, label).has_value();
         });
}

std::string Destination::ToString() const {
  std::string text =
      Describe(*this, [](std::string_view each) { return balance::Printable(each); });
  return text.empty() ? "any version" : text;
}

std::string Destination::Key() const {
  return Describe(*this, [](std::string_view each) { return model::Quoted(each, each.size()); });
}

absl::StatusOr<std::shared_ptr<const RuleSet>> RuleSet::Parse(std::string_view json_text) {
  if (json_text.size() > kMostBytes) {
    return absl::InvalidArgumentError(Concat(
        {"document: must have at most 262144 bytes, got ", std::to_string(json_text.size())}));
  }
  const absl::StatusOr<json> value = balance::ParseJson(json_text);
  if (!value.ok()) {
    return absl::InvalidArgumentError(Concat({"document: ", model::Message(value.status())}));
  }
  // Not make_shared: the constructor is private.
  const std::shared_ptr<RuleSet> rules(new RuleSet);
  rules->text_ = json_text;
  std::vector<std::string> errors;
  balance::ReadObject(*value, {.path = "", .errors = &errors}, [&](ConfigReader& reader) {
    rules->rules_ = ReadDocument(reader, rules->keys_);
  });
  if (absl::Status status = ToStatus(std::move(errors)); !status.ok()) return status;
  return rules;
}

}  // namespace turnout::route
