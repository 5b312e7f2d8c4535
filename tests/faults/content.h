// What should be in etcd, what is, and what follows from it for those who read it. Pure.
#ifndef TURNOUT_TESTS_FAULTS_CONTENT_H_
#define TURNOUT_TESTS_FAULTS_CONTENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace turnout::faults {

// One record, read apart from the library.
struct Registered {
  std::string id, version, address;
  std::int64_t create_revision = 0;

  static std::optional<Registered> Parse(const std::string& key, const std::string& value,
                                         std::int64_t create_revision);
};

// Of records with one address, the newest counts: the ids that readers should see.
std::set<std::string> VisibleIds(const std::vector<Registered>& records);

// "missing: a, b; too many: c"; empty if both are the same.
std::string Difference(const std::set<std::string>& wanted, const std::set<std::string>& found);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_CONTENT_H_
