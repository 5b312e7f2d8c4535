// Random numbers of the distributions that the simulation needs, each from a stream of its own.
#ifndef TURNOUT_SRC_SIMULATE_VARIATES_H_
#define TURNOUT_SRC_SIMULATE_VARIATES_H_

#include "src/base/random.h"

namespace turnout::simulate {

double Uniform(base::RandomSource& source, double least, double most);
double Exponential(base::RandomSource& source, double mean);

// exp(sigma·Z - sigma²/2) with a standard normal Z: its mean is 1 whatever sigma is. With sigma 1
// the median is 0.61, and one number in a hundred is above 6.2.
double LogNormal(base::RandomSource& source, double sigma);

}  // namespace turnout::simulate

#endif  // TURNOUT_SRC_SIMULATE_VARIATES_H_
