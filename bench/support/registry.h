// An etcd of the benchmark's own, and the records in it.
#ifndef TURNOUT_BENCH_SUPPORT_REGISTRY_H_
#define TURNOUT_BENCH_SUPPORT_REGISTRY_H_

#include <map>
#include <string>
#include <vector>

#include "tests/support/etcd_admin.h"
#include "tests/support/etcd_server.h"

namespace turnout::bench {

class Registry {
 public:
  struct Entry {
    std::string id;
    std::string version;
    std::string address;
    std::map<std::string, std::string> metadata = {};
  };

  // Starts etcd, which ends with this.
  Registry();

  void Register(const std::string& service, const Entry& entry);
  void RegisterAll(const std::string& service, const std::vector<Entry>& entries);
  void Deregister(const std::string& service, const std::string& id);

  static std::string Key(const std::string& service, const std::string& id);
  static std::string KeyPrefix(const std::string& service);
  std::string Target(const std::string& service) const;
  const std::string& endpoint() const { return server_.endpoint(); }
  const std::string& etcd_version() const { return etcd_version_; }

 private:
  testing::EtcdServer server_;
  testing::EtcdAdmin admin_;
  std::string etcd_version_;
};

}  // namespace turnout::bench

#endif  // TURNOUT_BENCH_SUPPORT_REGISTRY_H_
