// Threads for what may block, so that the event loop never does.
#ifndef TURNOUT_SRC_ETCD_SIDE_THREADS_H_
#define TURNOUT_SRC_ETCD_SIDE_THREADS_H_

#include "src/base/serial_thread.h"

namespace turnout::etcd {

base::SerialThread& FilesThread();  // reads certificates and passwords: a disk may hang
base::SerialThread& ProbeThread();  // tries connections: a network, or a name server, may be silent

}  // namespace turnout::etcd

#endif  // TURNOUT_SRC_ETCD_SIDE_THREADS_H_
