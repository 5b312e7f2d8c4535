// The policies whose picks are measured, as configurations.
#ifndef TURNOUT_BENCH_PICK_POLICIES_H_
#define TURNOUT_BENCH_PICK_POLICIES_H_

#include <string>
#include <vector>

namespace turnout::bench {

struct PickPolicy {
  std::string name;
  std::string parameters = "{}";

  // As the child of `version`: a list of pickers.
  std::string UnderVersion() const {
    return R"([{"version":{"child":[{")" + name + "\":" + parameters + "}]}}]";
  }
};

// The metadata key that hash policies go by.
inline constexpr char kHashHeader[] = "user";

inline std::vector<PickPolicy> PickPolicies() {
  const std::string hashed = std::string(R"({"requestHashHeader":")") + kHashHeader + "\"}";
  return {{"random"},        {"round_robin"}, {"weighted_random"},   {"weighted_round_robin"},
          {"least_request"}, {"peak_ewma"},   {"ring_hash", hashed}, {"maglev", hashed}};
}

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_PICK_POLICIES_H_
