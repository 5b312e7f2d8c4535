// What tests of rules need: documents, calls, and calls that have been decided.
#ifndef TURNOUT_SRC_ROUTE_TESTING_H_
#define TURNOUT_SRC_ROUTE_TESTING_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/balance/testing.h"
#include "src/route/call.h"
#include "src/route/router.h"
#include "src/route/rule_set.h"

namespace turnout::route::testing {

// Fails the test if the document is wrong.
inline std::shared_ptr<const RuleSet> ParseRules(std::string_view document) {
  auto rules = RuleSet::Parse(document);
  if (rules.ok()) return *std::move(rules);
  ADD_FAILURE() << rules.status() << "\n" << document;
  return *RuleSet::Parse("{}");
}

inline std::string ErrorOf(std::string_view document) {
  return std::string{RuleSet::Parse(document).status().message()};
}

class FakeCall final : public CallFacts {
 public:
  explicit FakeCall(std::string path = "/proto.Api/ApiTest") : path_(std::move(path)) {}
  FakeCall& Set(const std::string& key, std::string value) {
    metadata_[key] = std::move(value);
    return *this;
  }

  std::string_view path() const override { return path_; }
  std::optional<std::string_view> Metadata(const std::string& key) const override {
    ++lookups[key];
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return std::nullopt;
    return found->second;
  }

  mutable std::map<std::string, int> lookups;

 private:
  const std::string path_;
  std::map<std::string, std::string> metadata_;
};

// An attempt of a call that has been decided.
class DecidedArgs final : public PickArgs {
 public:
  explicit DecidedArgs(const Decision& decision) : decision_(decision) {}

  balance::testing::FakePickArgs& args() { return args_; }
  DecidedArgs& Set(std::string key, std::string value) {
    args_.Set(std::move(key), std::move(value));
    return *this;
  }
  DecidedArgs& Version(std::string version) { return Set("version", std::move(version)); }

  std::string_view path() const override { return args_.path(); }
  std::optional<std::string_view> Metadata(std::string_view key) const override {
    return args_.Metadata(key);
  }
  int attempt() const override { return args_.attempt(); }
  bool Tried(const Endpoint& endpoint) const override { return args_.Tried(endpoint); }
  const Decision* decision() const override { return &decision_; }

 private:
  const Decision decision_;
  balance::testing::FakePickArgs args_;
};

}  // namespace turnout::route::testing

#endif  // TURNOUT_SRC_ROUTE_TESTING_H_
