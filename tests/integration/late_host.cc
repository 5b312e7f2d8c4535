// late_host early|late PLUGIN TARGET: a program of someone else's, that knows gRPC but not Turnout,
// and loads a plugin that uses it: `early`, before it uses gRPC itself, or `late`, after that.
// Calls by way of the plugin, unloads it, waits a little, and ends.
#include <dlfcn.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::shared_ptr<grpc::Channel> own;
  if (std::string(argv[1]) == "late") {
    own = grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials());
  }
  void* plugin = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::printf("%s\n", dlerror());
    return 3;
  }
  const auto call = reinterpret_cast<int (*)(const char*)>(dlsym(plugin, "plugin_call"));
  const int result = call(argv[3]);
  // What it has left running must still find its code.
  dlclose(plugin);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return result;
}
