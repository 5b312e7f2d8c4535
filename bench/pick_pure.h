// What picks cost in the pure layer, without gRPC: one pick at 10 to 100,000 instances, picks a
// second from several threads, and building a picker.
#ifndef TURNOUT_BENCH_PICK_PURE_H_
#define TURNOUT_BENCH_PICK_PURE_H_

#include "absl/status/status.h"
#include "bench/support/report.h"

namespace turnout::bench {

absl::Status MeasurePurePicks(Report& report);

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_PICK_PURE_H_
