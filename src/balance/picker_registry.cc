#include "src/balance/picker_registry.h"

#include <algorithm>

#include "src/balance/builtins.h"
#include "src/base/mutex.h"
#include "src/model/text.h"

namespace turnout {
namespace balance {
namespace {

struct Registry {
  base::Mutex mutex;
  BuildersByName builders ABSL_GUARDED_BY(mutex) = BuiltinPickerBuilders();
};

Registry& GetRegistry() {
  static Registry* const registry = new Registry;  // leaked: channels may outlive main
  return *registry;
}

bool IsSnakeCase(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_lower(name.front()) && std::ranges::all_of(name, [&](char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::shared_ptr<const PickerBuilder> FindPickerBuilder(std::string_view name) {
  Registry& registry = GetRegistry();
  const base::MutexLock lock(registry.mutex);
  const auto found = registry.builders.find(name);
  return found == registry.builders.end() ? nullptr : found->second;
}

std::vector<std::string> PickerNames() {
  Registry& registry = GetRegistry();
  const base::MutexLock lock(registry.mutex);
  std::vector<std::string> names;
  names.reserve(registry.builders.size());
  for (const auto& [name, builder] : registry.builders) names.push_back(name);
  return names;
}

}  // namespace balance

absl::Status RegisterPickerBuilder(std::string_view name,
                                   std::shared_ptr<const PickerBuilder> builder) {
  if (!balance::IsSnakeCase(name)) {
    return absl::InvalidArgumentError(
        model::Concat({"picker name ", model::Quoted(name),
                       ": must be snake_case: a lowercase letter, then [a-z0-9_]"}));
  }
  if (builder == nullptr) {
    return absl::InvalidArgumentError(model::Concat({"picker ", name, ": the builder is null"}));
  }
  balance::Registry& registry = balance::GetRegistry();
  const base::MutexLock lock(registry.mutex);
  if (!registry.builders.emplace(name, std::move(builder)).second) {
    return absl::AlreadyExistsError(
        model::Concat({"picker ", name, ": another builder has that name"}));
  }
  return absl::OkStatus();
}

}  // namespace turnout
