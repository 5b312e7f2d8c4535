#include "src/balance/hash.h"

// The header is the whole library: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace turnout::balance {

std::uint64_t Hash(std::string_view text, std::uint64_t seed) {
  return XXH64(text.data(), text.size(), seed);
}

}  // namespace turnout::balance
