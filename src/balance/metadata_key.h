// The keys of call metadata that policies may be told to look at.
#ifndef TURNOUT_SRC_BALANCE_METADATA_KEY_H_
#define TURNOUT_SRC_BALANCE_METADATA_KEY_H_

#include <string>
#include <string_view>

namespace turnout::balance {

// Text metadata as gRPC allows it; keys that end in -bin hold bytes, encoded on some transports.
bool IsTextKey(std::string_view key);

// For a configuration's error: "must be a metadata key of …, got …".
std::string NotATextKey(std::string_view key);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_METADATA_KEY_H_
