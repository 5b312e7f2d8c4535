#include "src/balance/builtins.h"

#include "src/balance/label_match/label_match.h"
#include "src/balance/least_request/least_request.h"
#include "src/balance/locality/locality.h"
#include "src/balance/maglev/maglev.h"
#include "src/balance/panic/panic.h"
#include "src/balance/peak_ewma/peak_ewma.h"
#include "src/balance/random/random.h"
#include "src/balance/ring_hash/ring_hash.h"
#include "src/balance/round_robin/round_robin.h"
#include "src/balance/slow_start/slow_start.h"
#include "src/balance/subset/subset.h"
#include "src/balance/version/version.h"
#include "src/balance/weighted_random/weighted_random.h"
#include "src/balance/weighted_round_robin/weighted_round_robin.h"

namespace turnout::balance {

BuildersByName BuiltinPickerBuilders() {
  return {
      {"label_match", std::make_shared<LabelMatchBuilder>()},
      {"least_request", std::make_shared<LeastRequestBuilder>()},
      {"locality", std::make_shared<LocalityBuilder>()},
      {"maglev", std::make_shared<MaglevBuilder>()},
      {"panic", std::make_shared<PanicBuilder>()},
      {"peak_ewma", std::make_shared<PeakEwmaBuilder>()},
      {"random", std::make_shared<RandomBuilder>()},
      {"ring_hash", std::make_shared<RingHashBuilder>()},
      {"round_robin", std::make_shared<RoundRobinBuilder>()},
      {"slow_start", std::make_shared<SlowStartBuilder>()},
      {"subset", std::make_shared<SubsetBuilder>()},
      {"version", std::make_shared<VersionBuilder>()},
      {"weighted_random", std::make_shared<WeightedRandomBuilder>()},
      {"weighted_round_robin", std::make_shared<WeightedRoundRobinBuilder>()},
  };
}

}  // namespace turnout::balance
