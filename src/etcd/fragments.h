// Joins what etcd sends in parts: a response too large for one message. Pure.
#ifndef TURNOUT_SRC_ETCD_FRAGMENTS_H_
#define TURNOUT_SRC_ETCD_FRAGMENTS_H_

#include <utility>
#include <vector>

#include "proto/etcd.pb.h"
#include "src/etcd/convert.h"
#include "src/etcd/types.h"

namespace turnout::etcd {

// One for each watch on a stream: those of several watches arrive interleaved.
class Fragments {
 public:
  // All events of the whole response with its last part; none before. Etcd never divides a revision
  // between two responses, only between the parts of one.
  std::vector<Event> Add(etcdpb::WatchResponse& part) {
    for (etcdpb::Event& event : *part.mutable_events()) {
      events_.push_back(FromProto(std::move(event)));
    }
    return part.fragment() ? std::vector<Event>() : std::exchange(events_, {});
  }

 private:
  std::vector<Event> events_;
};

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_FRAGMENTS_H_
