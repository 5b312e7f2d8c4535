// The endpoints of a service by the destinations that rules name, with a picker for each. Pure.
#ifndef TURNOUT_SRC_ROUTE_DESTINATION_PICKERS_H_
#define TURNOUT_SRC_ROUTE_DESTINATION_PICKERS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/balance/label_match/labels.h"
#include "src/route/rule_set.h"
#include "turnout/picker.h"

namespace turnout::route {

// One destination: its instances, as whole or divided by what calls ask for.
class DestinationPicker {
 public:
  // `destination` and `builder` live as long as the result or longer.
  DestinationPicker(const Destination& destination, const PickerBuilder& builder);

  const Destination& destination() const { return destination_; }
  void Add(const Endpoint* endpoint) { members_.push_back(endpoint); }
  // When all members have been added; they are part of `group`.
  void Build(const EndpointGroup& group);

  // Null: no instance belongs to it.
  const Picker* For(const PickArgs& args) const;
  bool Wants(const Endpoint& endpoint) const;

 private:
  const Destination& destination_;
  const PickerBuilder& builder_;
  std::vector<std::string> labels_;  // whose value calls give
  std::vector<std::string> keys_;    // under which
  EndpointGroup::Members members_;
  std::unique_ptr<const Picker> all_;  // where calls give none
  balance::ByLabelValues<std::unique_ptr<const Picker>> by_values_;
};

// All destinations of several rule sets, equal ones once.
class DestinationPickers {
 public:
  // The place of `destination`, to be chosen within by `builder`. Before Build.
  std::size_t Place(const Destination& destination, const PickerBuilder& builder);
  void Build(const EndpointGroup& group);

  const DestinationPicker& operator[](std::size_t place) const { return pickers_[place]; }
  bool Wants(const Endpoint& endpoint) const;

 private:
  std::map<std::pair<std::string, const PickerBuilder*>, std::size_t> places_;
  std::vector<DestinationPicker> pickers_;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_DESTINATION_PICKERS_H_
