// A policy that chooses at random and tells the server whom it has chosen, so that an answer shows
// whether it comes from the instance that was picked.
#ifndef TURNOUT_TESTS_FAULTS_STAMP_H_
#define TURNOUT_TESTS_FAULTS_STAMP_H_

#include "turnout/picker.h"

namespace turnout::faults {

class StampPickerBuilder final : public ChoosingPickerBuilder {
 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_STAMP_H_
