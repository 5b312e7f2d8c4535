#include "tests/support/records.h"

#include <algorithm>

namespace turnout::testing {
namespace {

std::string NodePath(const std::string& service) {
  std::string path = "/" + service;
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

}  // namespace

std::string RecordKey(const std::string& service, const std::string& id) {
  return NodePath(service) + "/" + id;
}

std::string GoRecord::value() const {
  const std::string path = NodePath(service);
  return R"({"node":{"name":")" + path.substr(path.rfind('/') + 1) + R"(","path":")" + path +
         R"(","id":")" + id + R"(","version":")" + version + R"(","address":")" + address +
         R"("},"metadata":)" + metadata + R"(,"endpoints":)" + endpoints + "}";
}

}  // namespace turnout::testing
