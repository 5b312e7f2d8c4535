// What a fuzz target states about whatever comes in; libFuzzer keeps the input that breaks it.
#ifndef TURNOUT_FUZZ_CHECK_H_
#define TURNOUT_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace turnout::fuzz {

inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace turnout::fuzz

#endif  // TURNOUT_FUZZ_CHECK_H_
