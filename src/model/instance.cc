#include "turnout/instance.h"

#include "turnout/snapshot.h"

namespace turnout {

bool Instance::Serves(std::string_view method) const {
  // Tables are small and often empty; std::string's map has no lookup by view.
  for (const auto& [name, settings] : methods) {
    if (name == method) return settings.online;
  }
  return true;
}

std::string_view ToString(InstanceStatus status) {
  switch (status) {
    case InstanceStatus::kRegistered:
      return "registered";
    case InstanceStatus::kDraining:
      return "draining";
    case InstanceStatus::kLapsed:
      return "lapsed";
  }
  return "unknown";
}

}  // namespace turnout
