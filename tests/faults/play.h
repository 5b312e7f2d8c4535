// Lets faults happen and says what came of them.
#ifndef TURNOUT_TESTS_FAULTS_PLAY_H_
#define TURNOUT_TESTS_FAULTS_PLAY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/fault.h"

namespace turnout::faults {

struct Outcome {
  std::string name, what, expected;
  std::string choices;  // that the seed made
  std::optional<double> recovery_s;
  double slowest_ms = 0;  // of the unary calls that were answered
  std::size_t calls = 0;
  std::size_t failed = 0;
  std::vector<std::string> violations;

  bool ok() const { return violations.empty(); }
};

inline constexpr std::string_view kRandomName = "random";

struct PlayOptions {
  std::uint64_t seed = 1;
  int steps = 6;       // faults in a random sequence
  std::string folder;  // for logs; a folder in it for each stage
};

// On a new stage.
Outcome Play(const Fault& fault, const PlayOptions& options);

// Faults that the seed chooses, one after another on one stage; ends at the first that goes wrong.
Outcome PlayRandom(const PlayOptions& options);

// What PlayRandom lets happen.
struct Sequence {
  StageKind stage = StageKind::kOneMember;
  std::vector<const Fault*> faults;
};
Sequence Choose(Random& random, int steps);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_PLAY_H_
