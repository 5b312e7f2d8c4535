#include "bench/support/registry.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/model/names.h"
#include "src/model/record.h"
#include "tests/support/process.h"

namespace turnout::bench {
namespace {

const model::Keys& AllKeys() {
  static const model::Keys& keys = *new model::Keys("");
  return keys;
}

std::string Value(const std::string& service, const Registry::Entry& entry) {
  return model::FormatRecord({.service = service,
                              .id = entry.id,
                              .version = entry.version,
                              .addresses = {entry.address},
                              .metadata = entry.metadata});
}

// "3.4.23"; EtcdServer starts the same program.
std::string EtcdVersion() {
  const char* named = std::getenv("TURNOUT_TEST_ETCD");
  testing::Process etcd({named != nullptr ? named : TURNOUT_TEST_ETCD, "--version"});
  const std::string line = etcd.ReadLine().value_or("");  // "etcd Version: 3.4.23"
  return line.substr(line.rfind(' ') + 1);
}

}  // namespace

Registry::Registry() : admin_(server_.endpoint()), etcd_version_(EtcdVersion()) {}

void Registry::Register(const std::string& service, const Entry& entry) {
  admin_.Put(Key(service, entry.id), Value(service, entry));
}

void Registry::RegisterAll(const std::string& service, const std::vector<Entry>& entries) {
  std::vector<std::pair<std::string, std::string>> records;
  records.reserve(entries.size());
  for (const Entry& entry : entries) {
    records.emplace_back(Key(service, entry.id), Value(service, entry));
  }
  admin_.PutAll(records);
}

void Registry::Deregister(const std::string& service, const std::string& id) {
  admin_.Delete(Key(service, id));
}

std::string Registry::Key(const std::string& service, const std::string& id) {
  return AllKeys().Record(service, id);
}

std::string Registry::KeyPrefix(const std::string& service) {
  return AllKeys().RecordPrefix(service);
}

std::string Registry::Target(const std::string& service) const {
  return absl::StrCat("etcd://", endpoint(), "/", service);
}

}  // namespace turnout::bench
