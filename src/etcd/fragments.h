// Joins what etcd sends in parts: a response too large for one message. Pure.
#ifndef TURNOUT_SRC_ETCD_FRAGMENTS_H_
#define TURNOUT_SRC_ETCD_FRAGMENTS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "proto/etcd.pb.h"
#include "src/etcd/convert.h"
#include "src/etcd/types.h"

namespace turnout::etcd {

// One for each watch on a stream: those of several watches arrive interleaved.
class Fragments {
 public:
  // Parts that are more than this together are not collected: who is told so much reads all anew.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

  // False if the parts so far are too much.
  bool Add(etcdpb::WatchResponse& part) {
    if (part.fragment() || bytes_ > 0) bytes_ += part.ByteSizeLong();
    if (bytes_ > kMostBytes) return false;
    for (etcdpb::Event& event : *part.mutable_events()) {
      events_.push_back(FromProto(std::move(event)));
    }
    return true;
  }

  // All events of the whole response, once its last part has been added. Etcd never divides a
  // revision between two responses, only between the parts of one.
  std::vector<Event> Take() {
    bytes_ = 0;
    return std::exchange(events_, {});
  }

 private:
  std::vector<Event> events_;
  std::size_t bytes_ = 0;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_FRAGMENTS_H_
