#include "src/balance/metadata_key.h"

#include <algorithm>

#include "src/model/text.h"

namespace turnout::balance {

bool IsTextKey(std::string_view key) {
  return !key.empty() && !key.ends_with("-bin") && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::string NotATextKey(std::string_view key) {
  return model::Concat({"must be a metadata key of [a-z0-9._-] that does not end in -bin, got ",
                        model::Quoted(key)});
}

}  // namespace turnout::balance
