// The members of one etcd cluster, each with a channel of its own, and which of them is asked.
#ifndef TURNOUT_SRC_ETCD_CLUSTER_H_
#define TURNOUT_SRC_ETCD_CLUSTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/random.h"

namespace grpc {
class Channel;
}

namespace turnout::etcd {

struct Member {
  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;
};

// Used on the event loop's thread.
class Cluster {
 public:
  // Begins with a random member, so that a fleet's watches spread over all of them. `endpoints` is
  // not empty.
  explicit Cluster(const std::vector<std::string>& endpoints,
                   base::RandomSource& random = base::ThreadRandom());

  // Whom to ask now. Does not connect by itself, nor block.
  const Member& current();

  // `member` could not be asked: from now on the next one is, unless that is so already.
  void Failed(const Member& member, const absl::Status& why);

  const std::string& endpoints() const { return endpoints_; }  // "h:p, h:p", for messages

 private:
  std::vector<Member> members_;  // channels are made when they are first asked for
  std::size_t current_;
  std::string endpoints_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_CLUSTER_H_
