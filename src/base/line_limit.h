// How often something may be logged: a few lines at once, then one a second, which says how many
// were left out. What is left out is counted, so that nothing happens unheard of.
//
//   12 warnings at 0 s, 500 more until 1 s:  10 lines at 0 s, at 1 s "and 502 more"
//
// Not thread-safe.
#ifndef TURNOUT_SRC_BASE_LINE_LIMIT_H_
#define TURNOUT_SRC_BASE_LINE_LIMIT_H_

#include <chrono>
#include <cstddef>

#include "src/base/clock.h"

namespace turnout::base {

class LineLimit {
 public:
  static constexpr int kAtOnce = 10;  // after ten quiet seconds
  static constexpr std::chrono::seconds kInterval{1};

  // May a line be written? If not, it is left out. As long as any are, so are all: the line that
  // tells of them, kInterval after the first, is the next one.
  bool Admit(TimePoint now);

  // Lines since that was last told; telling it is a line, too.
  std::size_t left_out() const { return left_out_; }
  std::size_t TakeLeftOut(TimePoint now);

 private:
  void CountLine(TimePoint now);

  TimePoint paid_until_{};  // each line is paid for with kInterval
  std::size_t left_out_ = 0;
};

}  // namespace turnout::base

#endif  // TURNOUT_SRC_BASE_LINE_LIMIT_H_
