#include "src/simulate/variates.h"

#include <cmath>
#include <numbers>

namespace turnout::simulate {
namespace {

// Box and Muller, 1958; the second number of each pair is not used.
double StandardNormal(base::RandomSource& source) {
  const double radius = std::sqrt(-2 * std::log(1 - source.Fraction()));
  return radius * std::cos(2 * std::numbers::pi * source.Fraction());
}

}  // namespace

double Uniform(base::RandomSource& source, double least, double most) {
  return least + (most - least) * source.Fraction();
}

double Exponential(base::RandomSource& source, double mean) {
  return -mean * std::log(1 - source.Fraction());
}

double LogNormal(base::RandomSource& source, double sigma) {
  return std::exp(sigma * StandardNormal(source) - sigma * sigma / 2);
}

}  // namespace turnout::simulate
