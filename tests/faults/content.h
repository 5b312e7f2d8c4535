// What should be in etcd, what is, and what follows from it for those who read it. Pure.
#ifndef TURNOUT_TESTS_FAULTS_CONTENT_H_
#define TURNOUT_TESTS_FAULTS_CONTENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/faults/event.h"

namespace turnout::faults {

// One record, read apart from the library.
struct Registered {
  std::string id, version, address;
  std::int64_t create_revision = 0;
  bool draining = false;  // as its registrar has marked it
  std::int64_t lease = 0;

  static std::optional<Registered> Parse(const std::string& key, const std::string& value,
                                         std::int64_t create_revision, std::int64_t lease = 0);
};

// What operators have decided, by id: `draining` or `removed`.
using Decisions = std::map<std::string, std::string>;

// What readers should see: of records with one address the newest, and nobody who is removed.
std::map<std::string, Seen> Visible(const std::vector<Registered>& records,
                                    const Decisions& decisions);

// As texts, to compare: an id that is there with another version, say, is another one.
std::string Describe(const std::string& id, const Seen& seen);

// "missing: a, b; too many: c"; empty if both are the same.
std::string Difference(const std::set<std::string>& wanted, const std::set<std::string>& found);

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_CONTENT_H_
