#include "src/discovery/cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "src/base/random.h"
#include "src/model/text.h"

namespace turnout::discovery {
namespace {

using model::Concat;

// What is being replaced for so long is being replaced by nobody any more.
constexpr std::chrono::minutes kAbandoned{1};

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (is_open()) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

absl::Status Errno(std::string_view what) {
  return absl::UnavailableError(Concat({what, ": ", std::generic_category().message(errno)}));
}

absl::Status CheckTrust(const struct stat& found) {
  if (!S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError("it is no regular file: remove it");
  }
  if (found.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        "it belongs to another user: remove it, or give each user a cache folder of its own");
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::PermissionDeniedError("others may write to it: chmod 600 it, or remove it");
  }
  if (static_cast<std::uintmax_t>(found.st_size) > kLargestCacheFile) {
    return absl::ResourceExhaustedError(
        Concat({"it is larger than ", std::to_string(kLargestCacheFile >> 20), " MiB: remove it"}));
  }
  return absl::OkStatus();
}

// At most `size` bytes: it may be shorter by now.
absl::StatusOr<std::string> ReadUpTo(std::size_t size, const File& file) {
  std::string content(size, '\0');
  std::size_t length = 0;
  while (length < size) {
    const ssize_t count = read(file.descriptor(), content.data() + length, size - length);
    if (count < 0 && errno != EINTR) return Errno("it cannot be read");
    if (count == 0) break;
    if (count > 0) length += static_cast<std::size_t>(count);
  }
  content.resize(length);
  return content;
}

absl::Status WriteAll(std::string_view content, const File& file) {
  while (!content.empty()) {
    const ssize_t count = write(file.descriptor(), content.data(), content.size());
    if (count < 0 && errno != EINTR) return Errno("write");
    if (count > 0) content.remove_prefix(static_cast<std::size_t>(count));
  }
  // Else a crash of the machine could leave the name with nothing behind it.
  return fsync(file.descriptor()) == 0 ? absl::OkStatus() : Errno("fsync");
}

absl::Status MakeFolder(const std::string& folder) {
  for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    // One that exists may be one in which we may make nothing: the next step will tell.
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && end == std::string::npos) {
      return Errno("the folder cannot be made");
    }
    if (end == std::string::npos) return absl::OkStatus();
  }
}

// Hidden, and told from files in use by its end.
std::string TemporaryPrefix(const std::string& name) { return Concat({".", name, "."}); }

}  // namespace

absl::StatusOr<std::string> ReadCacheFile(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT) return absl::NotFoundError("there is no such file");
    if (errno == ELOOP) return absl::FailedPreconditionError("it is a symbolic link: remove it");
    return Errno("it cannot be read");
  }
  struct stat found {};
  if (fstat(file.descriptor(), &found) != 0) return Errno("it cannot be read");
  if (absl::Status status = CheckTrust(found); !status.ok()) return status;
  return ReadUpTo(static_cast<std::size_t>(found.st_size), file);
}

absl::Status ReplaceCacheFile(const std::string& folder, const std::string& name,
                              std::string_view content) {
  if (content.size() > kLargestCacheFile) {
    return absl::ResourceExhaustedError(Concat(
        {"a snapshot of ", std::to_string(content.size() >> 20), " MiB is too large to be kept"}));
  }
  if (absl::Status status = MakeFolder(folder); !status.ok()) return status;
  const std::string path = Concat({folder, "/", name});
  const std::string temporary =
      Concat({folder, "/", TemporaryPrefix(name), std::to_string(base::ThreadRandom().Next())});
  absl::Status status;
  {
    const File file(
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return Errno("a file cannot be made");
    status = WriteAll(content, file);
  }
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = Errno("rename");
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

void RemoveLeftovers(const std::string& folder, const std::string& name) {
  const auto abandoned = std::filesystem::file_time_type::clock::now() - kAbandoned;
  std::error_code ignored;
  for (const std::string& found : CacheFileNames(folder)) {
    if (!found.starts_with(TemporaryPrefix(name))) continue;
    const std::filesystem::path path = std::filesystem::path(folder) / found;
    const auto written = std::filesystem::last_write_time(path, ignored);
    if (!ignored && written < abandoned) std::filesystem::remove(path, ignored);
  }
}

std::vector<std::string> CacheFileNames(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

}  // namespace turnout::discovery
