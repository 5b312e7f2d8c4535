#include "src/grpc/streaming_methods.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <map>
#include <string>

namespace turnout::adapter {
namespace {

// Paths come from callers, which may make them up.
constexpr std::size_t kMostKnown = 1000;

bool LookUp(std::string_view path) {
  std::string name(path.substr(path.starts_with('/') ? 1 : 0));
  std::replace(name.begin(), name.end(), '/', '.');
  const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  return method != nullptr && (method->client_streaming() || method->server_streaming());
}

}  // namespace

bool IsStreaming(std::string_view path) {
  thread_local std::map<std::string, bool, std::less<>> known;
  if (const auto found = known.find(path); found != known.end()) return found->second;
  const bool streaming = LookUp(path);
  if (known.size() < kMostKnown) known.emplace(path, streaming);
  return streaming;
}

}  // namespace turnout::adapter
