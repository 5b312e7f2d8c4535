#include "src/grpc/v1_51/selection_timer.h"

#include <grpc/grpc.h>
#include <grpc/support/port_platform.h>

#include <chrono>
#include <utility>

#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/resource_quota/arena.h"
#include "src/core/lib/resource_quota/resource_quota.h"
#include "src/core/lib/service_config/service_config_impl.h"
#include "src/core/lib/slice/slice.h"
#include "src/core/lib/transport/metadata_batch.h"
#include "src/grpc/v1_51/convert.h"
#include "src/grpc/v1_51/selector.h"

namespace turnout::adapter {

using grpc_core::Arena;
using grpc_core::ConfigSelector;

class SelectionTimer::Impl {
 public:
  Impl(std::shared_ptr<const route::Router> router, const std::string& path,
       const std::vector<std::pair<std::string, std::string>>& metadata)
      : allocator_(grpc_core::ResourceQuota::Default()->memory_quota()->CreateMemoryAllocator(
            "selection_timer")),
        metadata_arena_(Arena::Create(4096, &allocator_)),
        metadata_(metadata_arena_),
        path_(grpc_slice_from_copied_string(path.c_str())) {
    const grpc_core::ExecCtx exec_ctx;
    const auto config =
        grpc_core::ServiceConfigImpl::Create(grpc_core::ChannelArgs(), R"({"methodConfig":[]})");
    selector_ =
        MakeConfigSelector("bench.app", *config, std::move(router), grpc_core::ChannelArgs());
    for (const auto& [key, value] : metadata) {
      metadata_.Append(key, grpc_core::Slice::FromCopiedString(value),
                       [](absl::string_view, const grpc_core::Slice&) {});
    }
  }
  ~Impl() {
    const grpc_core::ExecCtx exec_ctx;
    selector_.reset();
    metadata_.Clear();
    metadata_arena_->Destroy();
    grpc_slice_unref(path_);
  }

  double Measure(int calls) {
    constexpr int kCallsPerArena = 64;  // each call has one; here its making is not measured
    const grpc_core::ExecCtx exec_ctx;
    std::chrono::nanoseconds taken{0};
    for (int done = 0; done < calls; done += kCallsPerArena) {
      Arena* const arena = Arena::Create(64 * 1024, &allocator_);
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < kCallsPerArena; ++i) {
        const ConfigSelector::CallConfig config =
            selector_->GetCallConfig({&path_, &metadata_, arena});
        if (!config.status.ok()) return -1;
      }
      taken += std::chrono::steady_clock::now() - begin;
      arena->Destroy();
    }
    return static_cast<double>(taken.count()) / calls;
  }

 private:
  grpc_core::MemoryAllocator allocator_;
  Arena* const metadata_arena_;
  grpc_metadata_batch metadata_;
  grpc_slice path_;
  grpc_core::RefCountedPtr<ConfigSelector> selector_;
};

SelectionTimer::SelectionTimer(std::shared_ptr<const route::Router> router, const std::string& path,
                               const std::vector<std::pair<std::string, std::string>>& metadata)
    : impl_(std::make_unique<Impl>(std::move(router), path, metadata)) {}
SelectionTimer::~SelectionTimer() = default;

double SelectionTimer::Measure(int calls) { return impl_->Measure(calls); }

}  // namespace turnout::adapter
