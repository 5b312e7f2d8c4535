#include "src/etcd/client.h"

#include <list>
#include <utility>

#include "src/base/mutex.h"
#include "src/etcd/client_impl.h"

namespace turnout::etcd {
namespace {

struct Table {
  base::Mutex mutex;
  // Few; looked up when something starts.
  std::list<std::pair<RegistryOptions, ClientImpl>> clients ABSL_GUARDED_BY(mutex);
};

}  // namespace

Client& Client::For(const RegistryOptions& options) {
  static Table& table = *new Table;
  // What does not concern the way to etcd must not divide its users: leases are shared.
  const RegistryOptions key{.endpoints = options.endpoints,
                            .prefix = {},
                            .request_timeout = options.request_timeout,
                            .tls = options.tls,
                            .username = options.username,
                            .password = options.password,
                            .password_file = options.password_file,
                            .cache_dir = {}};
  base::MutexLock lock(table.mutex);
  for (auto& [known, client] : table.clients) {
    if (known == key) return client;
  }
  return table.clients
      .emplace_back(std::piecewise_construct, std::forward_as_tuple(key),
                    std::forward_as_tuple(key))
      .second;
}

}  // namespace turnout::etcd
