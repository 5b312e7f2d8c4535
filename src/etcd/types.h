// etcd's vocabulary, free of protobuf.
#ifndef TURNOUT_SRC_ETCD_TYPES_H_
#define TURNOUT_SRC_ETCD_TYPES_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace turnout::etcd {

using Revision = std::int64_t;

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
  std::int64_t lease = 0;
};

struct Event {
  enum class Type { kPut, kDelete };
  Type type = Type::kPut;
  KeyValue kv;  // of a delete: only key and mod_revision
};

struct RangeResult {
  Revision revision = 0;  // at which all of `kvs` was read
  std::vector<KeyValue> kvs;
  bool more = false;  // there are more keys than were asked for
};

struct DeleteResult {
  Revision revision = 0;
  std::int64_t deleted = 0;
};

// All of `conditions` hold → `then`, else `otherwise`, atomically.
struct Txn {
  struct Condition {
    enum class On { kCreateRevision, kModRevision, kLease };
    std::string key;
    On on = On::kModRevision;
    std::int64_t equals = 0;  // create and mod revision 0: the key does not exist
  };
  struct Operation {
    enum class Type { kPut, kDelete, kGet };
    Type type = Type::kPut;
    std::string key;
    std::string value;       // put
    std::int64_t lease = 0;  // put
  };
  std::vector<Condition> conditions;
  std::vector<Operation> then;
  std::vector<Operation> otherwise;
};

struct TxnResult {
  Revision revision = 0;
  bool succeeded = false;
  std::vector<KeyValue> read;  // what the Get operations of the branch found
};

struct LeaseLife {
  std::chrono::seconds granted{0};
  std::chrono::seconds left{0};
  std::vector<std::string> keys;  // that end with it
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_TYPES_H_
