// What others do to etcd: reads and writes keys directly, past all of the library.
//
// Thread-safe; blocks. A request that fails ends the test program: the test could say nothing after
// that.
#ifndef TURNOUT_TESTS_SUPPORT_ETCD_ADMIN_H_
#define TURNOUT_TESTS_SUPPORT_ETCD_ADMIN_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace google::protobuf {
class MessageLite;
}
namespace grpc {
class Channel;
}

namespace turnout::testing {

class EtcdAdmin {
 public:
  struct Entry {
    std::string key;
    std::string value;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
    std::int64_t lease = 0;
  };

  explicit EtcdAdmin(const std::string& endpoint);

  std::int64_t Put(const std::string& key, const std::string& value, std::int64_t lease = 0);
  // In as few transactions as etcd allows: 128 keys in each.
  void PutAll(const std::vector<std::pair<std::string, std::string>>& entries);
  void Delete(const std::string& key);
  // As a server that goes in order: marks its record as draining, then deletes it.
  void Retire(const std::string& record_key);
  std::optional<Entry> Get(const std::string& key);
  std::vector<Entry> List(const std::string& prefix);

  std::int64_t Grant(std::chrono::seconds ttl);
  void Revoke(std::int64_t lease);

 private:
  void Do(const char* method, const google::protobuf::MessageLite& request,
          google::protobuf::MessageLite& response);

  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_ETCD_ADMIN_H_
