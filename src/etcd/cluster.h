// The members of one etcd cluster, each with a channel of its own, and which of them is asked.
#ifndef TURNOUT_SRC_ETCD_CLUSTER_H_
#define TURNOUT_SRC_ETCD_CLUSTER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/random.h"
#include "src/etcd/diagnosis.h"
#include "src/etcd/transport.h"

namespace turnout::etcd {

struct Member {
  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;  // null while there is no asking it: Cluster::Refusal
};

// Used on the event loop's thread. Lives as long as there are requests.
class Cluster {
 public:
  // Begins with a random member, so that a fleet's watches spread over all of them. `endpoints` is
  // not empty. Without `tls`, they are spoken to in plain text.
  explicit Cluster(const std::vector<std::string>& endpoints,
                   base::RandomSource& random = base::ThreadRandom(),
                   std::optional<TlsOptions> tls = std::nullopt);

  // Whom to ask now. Does not connect by itself, nor block.
  const Member& current();

  // Why `member` is not to be asked at the moment, although it is the current one; OK: it is.
  absl::Status Refusal(const Member& member) const;

  // `member` could not be asked: from now on the next one is, unless that is so already.
  void Failed(const Member& member, const absl::Status& why);

  // `member` has answered.
  void Worked(const Member& member) { Find(member).has_worked = true; }

  // After Failed: `then` is called, at once or within about a second, with the cause if it can be
  // found out (as a message without the member), or OK.
  void Explain(const Member& member, std::function<void(const absl::Status&)> then);

  const std::string& endpoints() const { return endpoints_; }  // "h:p, h:p", for messages
  const Transport& transport() const { return *transport_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Known : Member {
    Known(const std::string& name, Transport& transport)
        : Member{name, nullptr}, diagnosis(name, transport) {}
    Diagnosis diagnosis;
    int generation = 0;  // of the transport, that the channel was made with
    bool has_worked = false;
    Clock::time_point reset_at;  // when its channel's backoff was last reset
  };

  Known& Find(const Member& member) const;

  const std::unique_ptr<Transport> transport_;
  std::vector<std::unique_ptr<Known>> members_;  // channels are made when they are first asked for
  std::size_t current_;
  std::string endpoints_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_CLUSTER_H_
