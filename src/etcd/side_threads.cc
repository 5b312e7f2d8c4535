#include "src/etcd/side_threads.h"

namespace turnout::etcd {

base::SerialThread& FilesThread() {
  static base::SerialThread& thread = *new base::SerialThread("turnout-files");
  return thread;
}

base::SerialThread& ProbeThread() {
  static base::SerialThread& thread = *new base::SerialThread("turnout-probe");
  return thread;
}

}  // namespace turnout::etcd
