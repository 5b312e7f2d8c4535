// What etcd answers, or would have answered, when everything about a service is listed.
#ifndef TURNOUT_SRC_DISCOVERY_LISTS_H_
#define TURNOUT_SRC_DISCOVERY_LISTS_H_

#include "src/etcd/types.h"

namespace turnout::discovery {

struct Lists {
  etcd::RangeResult records;
  etcd::RangeResult states;  // operators' decisions
  etcd::RangeResult rules;   // at most one document
};

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_LISTS_H_
