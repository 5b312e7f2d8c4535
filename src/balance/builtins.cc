#include "src/balance/builtins.h"

#include "src/balance/random/random.h"
#include "src/balance/round_robin/round_robin.h"
#include "src/balance/version/version.h"

namespace turnout::balance {

BuildersByName BuiltinPickerBuilders() {
  return {
      {"random", std::make_shared<RandomBuilder>()},
      {"round_robin", std::make_shared<RoundRobinBuilder>()},
      {"version", std::make_shared<VersionBuilder>()},
  };
}

}  // namespace turnout::balance
