// What came of all faults, as people read it and as programs do. Pure.
#ifndef TURNOUT_TESTS_FAULTS_MATRIX_H_
#define TURNOUT_TESTS_FAULTS_MATRIX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/play.h"

namespace turnout::faults {

bool AllOk(const std::vector<Outcome>& outcomes);

std::string MatrixTable(const std::vector<Outcome>& outcomes);
std::string MatrixMarkdown(const std::vector<Outcome>& outcomes);
std::string MatrixJson(const std::vector<Outcome>& outcomes, std::uint64_t seed);  // one line

// What went wrong: at most `most` lines.
std::string Violations(const Outcome& outcome, std::size_t most);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_MATRIX_H_
