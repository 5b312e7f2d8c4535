// Whole files in a folder of our own: read with suspicion, replaced atomically. Blocks.
//
// Whoever else can write to the folder may put anything there under our names. What is read back is
// therefore a regular file, of our own user, that nobody else may write to; links are not followed,
// and neither a pipe nor a huge file holds the reader up.
#ifndef TURNOUT_SRC_DISCOVERY_CACHE_FILE_H_
#define TURNOUT_SRC_DISCOVERY_CACHE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace turnout::discovery {

// 20,000 instances with large records make about 20 MB.
inline constexpr std::size_t kLargestCacheFile = std::size_t{64} << 20;

// NotFound: there is no such file. Any other error says why the file is not to be used, and what to
// do if it is a matter of rights.
absl::StatusOr<std::string> ReadCacheFile(const std::string& path);

// Makes `folder` (mode 0700, as each missing parent) and in it `name` (mode 0600) with `content`.
// Whoever reads meanwhile, or after a crash, finds what was there before or all of `content`.
absl::Status ReplaceCacheFile(const std::string& folder, const std::string& name,
                              std::string_view content);

// Removes what processes that died while they replaced `name` have left.
void RemoveLeftovers(const std::string& folder, const std::string& name);

// The names of the files in `folder`, in no order; none if it cannot be read.
std::vector<std::string> CacheFileNames(const std::string& folder);

}  // namespace turnout::discovery

#endif  // TURNOUT_SRC_DISCOVERY_CACHE_FILE_H_
