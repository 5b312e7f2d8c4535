#include "src/balance/method_gate.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout::balance {
namespace {

// Positions in the group, ascending.
using Positions = std::vector<std::uint32_t>;

// Methods that share a picker. Their names point into instances.
struct Branch {
  Positions off;
  std::vector<std::string_view> methods;
  bool merged = false;  // not each of them is off on all of these
};

std::unordered_map<std::string_view, Positions> FindSwitchedOff(const EndpointGroup& group) {
  std::unordered_map<std::string_view, Positions> off;
  for (std::uint32_t i = 0; i < group.members().size(); ++i) {
    for (const auto& [method, settings] : group.members()[i]->instance().methods) {
      if (!settings.online) off[method].push_back(i);
    }
  }
  return off;
}

// The last of `branches` takes in the rest.
void Merge(std::vector<Branch>& branches, std::size_t most) {
  if (branches.size() <= most) return;
  std::ranges::stable_sort(
      branches, [](const Branch& a, const Branch& b) { return a.off.size() > b.off.size(); });
  Branch& last = branches[most - 1];
  last.merged = true;
  for (auto rest = branches.begin() + static_cast<std::ptrdiff_t>(most); rest != branches.end();
       ++rest) {
    last.off.insert(last.off.end(), rest->off.begin(), rest->off.end());
    last.methods.insert(last.methods.end(), rest->methods.begin(), rest->methods.end());
  }
  std::ranges::sort(last.off);
  last.off.erase(std::unique(last.off.begin(), last.off.end()), last.off.end());
  branches.resize(most);
}

std::vector<Branch> Branches(const std::unordered_map<std::string_view, Positions>& off) {
  std::map<Positions, std::vector<std::string_view>> by_set;
  for (const auto& [method, positions] : off) by_set[positions].push_back(method);
  std::vector<Branch> branches;
  branches.reserve(by_set.size());
  for (auto& [positions, methods] : by_set) branches.push_back({positions, std::move(methods)});
  Merge(branches, kMostMethodBranches);
  return branches;
}

EndpointGroup Without(const EndpointGroup& group, const Positions& off) {
  EndpointGroup::Members rest;
  rest.reserve(group.members().size() - off.size());
  auto next = off.begin();
  for (std::uint32_t i = 0; i < group.members().size(); ++i) {
    if (next != off.end() && *next == i) {
      ++next;
    } else {
      rest.push_back(group.members()[i]);
    }
  }
  // The first endpoint that is left out tells it from the others well enough.
  return group.With(std::move(rest),
                    model::Concat({"without ", group.members()[off.front()]->instance().id}));
}

// The picker of one branch: says in failures what the rest of the message cannot know.
class BranchPicker final : public Picker {
 public:
  BranchPicker(const PickerBuilder& builder, const EndpointGroup& group, const Branch& branch)
      : service_(group.service()),
        left_out_(branch.off.size()),
        merged_(branch.merged),
        picker_(branch.off.size() == group.members().size()
                    ? nullptr
                    : builder.Build(Without(group, branch.off))) {}

  PickResult Pick(const PickArgs& args) const override {
    if (picker_ == nullptr) {
      return PickResult::Fail(absl::UnavailableError(
          model::Concat({"no match found conn: ", What(args), " is switched off on ",
                         left_out_ == 1 ? "the only instance" : "all ",
                         left_out_ == 1 ? "" : Counted(left_out_, "instance"), " of ", service_})));
    }
    PickResult result = picker_->Pick(args);
    if (result.kind() != PickResult::Kind::kFail) return result;
    const absl::string_view why = result.status().message();
    return PickResult::Fail(
        absl::Status(result.status().code(), model::Concat({{why.data(), why.size()},
                                                            "; left out: ",
                                                            Counted(left_out_, "instance"),
                                                            " on which ",
                                                            What(args),
                                                            " is switched off"})));
  }

  bool Wants(const Endpoint& endpoint) const override {
    return picker_ != nullptr && picker_->Wants(endpoint);
  }

 private:
  std::string What(const PickArgs& args) const {
    return Printable(args.method()) + (merged_ ? " or a method that shares its picker" : "");
  }

  const std::string_view service_;
  const std::size_t left_out_;
  const bool merged_;
  const std::unique_ptr<const Picker> picker_;  // null when no endpoint is left
};

class MethodGate final : public Picker {
 public:
  MethodGate(const PickerBuilder& builder, EndpointGroup group,
             const std::vector<Branch>& branches) {
    branches_.reserve(branches.size());
    for (const Branch& branch : branches) {
      branches_.push_back(std::make_unique<BranchPicker>(builder, group, branch));
      for (const std::string_view method : branch.methods) {
        by_method_.emplace(method, branches_.back().get());
      }
    }
    otherwise_ = builder.Build(std::move(group));
  }

  PickResult Pick(const PickArgs& args) const override {
    const auto found = by_method_.find(args.method());
    return (found == by_method_.end() ? otherwise_.get() : found->second)->Pick(args);
  }

  bool Wants(const Endpoint& endpoint) const override {
    return otherwise_->Wants(endpoint) || std::ranges::any_of(branches_, [&](const auto& branch) {
             return branch->Wants(endpoint);
           });
  }

 private:
  std::vector<std::unique_ptr<const Picker>> branches_;
  std::unordered_map<std::string_view, const Picker*> by_method_;
  std::unique_ptr<const Picker> otherwise_;
};

}  // namespace

std::unique_ptr<const Picker> BuildMethodGate(const PickerBuilder& builder, EndpointGroup group) {
  const auto off = FindSwitchedOff(group);
  if (off.empty()) return builder.Build(std::move(group));
  return std::make_unique<MethodGate>(builder, std::move(group), Branches(off));
}

}  // namespace turnout::balance
