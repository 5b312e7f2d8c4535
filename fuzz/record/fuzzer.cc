// libFuzzer's target: whatever key and value stand in etcd, they are refused with an error that a
// log can hold, or are an instance that reads the same after it was written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "src/model/names.h"
#include "src/model/record.h"
#include "src/model/text.h"

namespace turnout::model {
namespace {

using fuzz::Check;

constexpr std::string_view kService = "a.b";
constexpr std::string_view kId = "b-1";
constexpr std::size_t kLongestError = 1000;
constexpr RecordLimits kLimits{.size_bytes = 2048, .depth = 8};

void CheckError(const absl::Status& status) {
  Check(status.code() == absl::StatusCode::kInvalidArgument, "another code than INVALID_ARGUMENT");
  Check(!status.message().empty() && status.message().size() <= kLongestError,
        "an error that is empty or long");
}

// Escapes grow what is written, so that the limits are only for what comes in.
Instance ReadAgain(const std::string& value) {
  const auto again = ParseRecord(kService, kId, value, {.size_bytes = std::size_t{1} << 20});
  Check(again.ok(), "does not read what it has written");
  return *again;
}

void CheckInstance(const Instance& instance, std::string_view value) {
  Check(value.size() <= kLimits.size_bytes, "larger than the limit");
  Check(instance.service == kService && instance.id == kId, "is not who the key says");
  Check(instance.addresses.size() == 1, "not one address");
  const auto address = ParseHostPort(instance.address());
  Check(address.ok(), "an address that is none");
  Check(address->host != "0.0.0.0" && address->host != "::", "a wildcard as the address");

  const std::string written = FormatRecord(instance);
  const Instance again = ReadAgain(written);
  // Fields of ours that are not as they should be are left out.
  Instance expected = instance;
  expected.metadata = again.metadata;
  Check(again == expected, "another instance after it was written");
  Check(FormatRecord(again) == written, "another record after it was read");
}

void TryDrain(std::string_view value) {
  const auto marked = WithMetadata(value, "turnout.state", "draining");
  if (!marked.ok()) return CheckError(marked.status());
  const auto drained = ParseRecord(kService, kId, *marked, {.size_bytes = std::size_t{1} << 20});
  if (ParseRecord(kService, kId, value, kLimits).ok()) {
    Check(drained.ok() && drained->draining, "marked draining, and is not");
  }
}

void TryValue(std::string_view value) {
  const auto instance = ParseRecord(kService, kId, value, kLimits);
  if (instance.ok()) {
    CheckInstance(*instance, value);
  } else {
    CheckError(instance.status());
  }
  TryDrain(value);
  if (const auto state = ParseOperatorState(value); !state.ok()) CheckError(state.status());
}

void TryKey(std::string_view key) {
  const Keys keys("/x");
  const auto parsed = keys.ParseRecord(key);
  if (!parsed.has_value()) return;
  const auto& [service, id] = *parsed;
  Check(keys.Record(service, id) == key, "another key than that of its service and id");
  Check(keys.IdOfRecord(service, key) == id, "another id");
}

}  // namespace
}  // namespace turnout::model

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  turnout::model::TryValue(text);
  turnout::model::TryKey(text);
  return 0;
}
