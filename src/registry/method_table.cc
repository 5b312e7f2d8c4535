#include "src/registry/method_table.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace turnout::registry {
namespace {

using google::protobuf::DescriptorPool;

constexpr MethodSettings kNewMethod{.online = true, .limiting = 10};

std::string LinkedServices() {
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::set<std::string> services;
  for (const std::string& name : files) {
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      services.insert(file->service(i)->full_name());
    }
  }
  return services.empty() ? "none" : absl::StrJoin(services, ", ");
}

}  // namespace

absl::StatusOr<std::map<std::string, MethodSettings>> MethodTable(
    const std::vector<std::string>& services) {
  std::map<std::string, MethodSettings> table;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(services[i]);
    if (service == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("methods_of[", i, "]: must be a protobuf service linked into this process (",
                       LinkedServices(), "), got \"", services[i], "\""));
    }
    for (int j = 0; j < service->method_count(); ++j) {
      table.emplace(service->method(j)->name(), kNewMethod);
    }
  }
  return table;
}

}  // namespace turnout::registry
