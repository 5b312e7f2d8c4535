// Which methods are streams, as far as this process knows.
#ifndef TURNOUT_SRC_GRPC_STREAMING_METHODS_H_
#define TURNOUT_SRC_GRPC_STREAMING_METHODS_H_

#include <string_view>

namespace turnout::adapter {

// Does a side of the method at `path` (`/package.Service/Method`) stream? As the protobuf
// descriptors that are linked into this process say; false for methods that they do not know (a
// static library's whose file has services only, and no message that anyone uses, may be missing).
// Lock-free once the thread has asked for the path.
bool IsStreaming(std::string_view path);

}  // namespace turnout::adapter

#endif  // TURNOUT_SRC_GRPC_STREAMING_METHODS_H_
