// Words for messages.
#ifndef TURNOUT_SRC_BALANCE_TEXT_H_
#define TURNOUT_SRC_BALANCE_TEXT_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace turnout::balance {

// As model::Quoted, without the quotes: for words that stand in a sentence. Empty text is `""`.
std::string Printable(std::string_view text, std::size_t most_bytes = 64);

// "instance" → "1 instance", "3 instances".
std::string Counted(std::size_t count, std::string_view noun);

// The one of `words` that `typed` is most likely a misspelling of; empty if none is close: at most
// two letters added, left out or exchanged, and fewer than half of them.
std::string_view Closest(std::string_view typed, std::span<const std::string> words);

// "; did you mean random?"; empty if nothing is close.
std::string DidYouMean(std::string_view typed, std::span<const std::string> words);

// "random, round_robin, version"
std::string Listed(std::span<const std::string> words);

}  // namespace turnout::balance

#endif  // TURNOUT_SRC_BALANCE_TEXT_H_
