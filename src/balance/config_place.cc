#include "src/balance/config_place.h"

#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout::balance {

Place Place::At(std::string_view key) const {
  return {model::Concat({path, ".", Printable(key)}), nesting, errors, parameters};
}

Place Place::At(std::size_t index) const {
  return {model::Concat({path, "[", std::to_string(index), "]"}), nesting, errors, parameters};
}

void Place::Error(std::string_view what) const {
  errors->push_back(model::Concat({path, ": ", what}));
}

absl::Status ToStatus(const std::vector<std::string>& errors) {
  if (errors.empty()) return absl::OkStatus();
  if (errors.size() == 1) return absl::InvalidArgumentError(errors.front());
  std::string all = std::to_string(errors.size()) + " errors:";
  for (std::size_t i = 0; i < errors.size(); ++i) {
    all += model::Concat({" (", std::to_string(i + 1), ") ", errors[i]});
  }
  return absl::InvalidArgumentError(all);
}

}  // namespace turnout::balance
