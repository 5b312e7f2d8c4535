// A policy that chooses at random and tells both sides whom it has chosen: the server, so that an
// answer shows whether it comes from the instance that was picked; and the caller, since gRPC
// forgets where a call was that ran into its deadline.
#ifndef TURNOUT_TESTS_FAULTS_STAMP_H_
#define TURNOUT_TESTS_FAULTS_STAMP_H_

#include <mutex>
#include <string>
#include <unordered_map>

#include "turnout/picker.h"

namespace turnout::faults {

// Where calls have been sent, by the number that they bear. Thread-safe.
class PickLog {
 public:
  void Note(std::string call, std::string address);
  std::string Take(const std::string& call);  // of its last pick; empty: there was none

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> addresses_;
};

// The metadata key of a call's number.
inline constexpr char kNumberKey[] = "x-number";

class StampPickerBuilder final : public ChoosingPickerBuilder {
 public:
  // `log` outlives all that is built.
  explicit StampPickerBuilder(PickLog& log) : log_(log) {}

 protected:
  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override;

 private:
  PickLog& log_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_STAMP_H_
