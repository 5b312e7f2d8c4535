#include "src/base/line_limit.h"

#include <algorithm>
#include <utility>

namespace turnout::base {

bool LineLimit::Admit(TimePoint now) {
  if (left_out_ > 0 || paid_until_ > now + (kAtOnce - 1) * kInterval) {
    ++left_out_;
    return false;
  }
  CountLine(now);
  return true;
}

std::size_t LineLimit::TakeLeftOut(TimePoint now) {
  CountLine(now);
  return std::exchange(left_out_, 0);
}

void LineLimit::CountLine(TimePoint now) { paid_until_ = std::max(paid_until_, now) + kInterval; }

}  // namespace turnout::base
