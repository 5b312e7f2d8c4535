// The hash for whoever spreads things by what they are called.
#ifndef TURNOUT_SRC_BALANCE_HASH_H_
#define TURNOUT_SRC_BALANCE_HASH_H_

#include <cstdint>
#include <string_view>

namespace turnout::balance {

// XXH64 (xxhash.com): the same number on every machine, and by every other implementation. Not for
// secrets: who knows the seed can make texts collide.
std::uint64_t Hash(std::string_view text, std::uint64_t seed = 0);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_HASH_H_
