#include "src/route/call_recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "src/balance/metadata_key.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/random.h"
#include "src/base/serial_thread.h"
#include "src/model/text.h"
#include "turnout/rules.h"

namespace turnout {
namespace route::internal {

std::atomic<bool> recording{false};

}  // namespace route::internal

namespace {

using model::Concat;
using nlohmann::json;

constexpr std::size_t kMostLines = 100'000'000;
constexpr std::size_t kMostWaiting = 10'000;  // lines that the disk is too slow for

base::SerialThread& WriterThread() {
  static auto& thread = *new base::SerialThread("turnout-record");
  return thread;
}

// One file, and how much may still come.
class Recorder {
 public:
  Recorder(CallRecording recording, std::FILE* file)
      : recording_(std::move(recording)), file_(file) {}
  ~Recorder() { std::fclose(file_); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  const CallRecording& recording() const { return recording_; }

  // Which of the lines this is, if it is one.
  std::optional<std::size_t> Draw() {
    if (base::ThreadRandom().Fraction() >= recording_.share) return std::nullopt;
    if (WriterThread().waiting() >= kMostWaiting) return std::nullopt;
    const std::size_t line = lines_.fetch_add(1, std::memory_order_relaxed);
    return line < recording_.most ? std::optional(line) : std::nullopt;
  }

  // On the writer's thread.
  void Write(const json& line) {
    std::string text = line.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), file_);
    if (WriterThread().waiting() == 0) std::fflush(file_);
  }

 private:
  const CallRecording recording_;
  std::FILE* const file_;
  std::atomic<std::size_t> lines_{0};
};

struct Slot {
  base::Mutex mutex;
  std::shared_ptr<Recorder> recorder ABSL_GUARDED_BY(mutex);  // null: nothing is recorded
};

Slot& TheSlot() {
  static Slot& slot = *new Slot;
  return slot;
}

std::shared_ptr<Recorder> Current() {
  Slot& slot = TheSlot();
  const base::MutexLock lock(slot.mutex);
  return slot.recorder;
}

absl::Status Check(const CallRecording& recording) {
  for (const std::string& key : recording.keys) {
    if (!balance::IsTextKey(key)) {
      return absl::InvalidArgumentError(Concat({"keys: ", balance::NotATextKey(key)}));
    }
  }
  if (!(recording.share > 0 && recording.share <= 1)) {
    return absl::InvalidArgumentError(Concat(
        {"share: must be more than 0 and at most 1, got ", std::to_string(recording.share)}));
  }
  if (recording.most < 1 || recording.most > kMostLines) {
    return absl::InvalidArgumentError(
        Concat({"most: must be 1 to 100000000, got ", std::to_string(recording.most)}));
  }
  return absl::OkStatus();
}

json Line(std::string_view service, const route::CallFacts& call, const CallRecording& recording) {
  const Caller caller = GetCaller();
  json metadata = json::object();
  for (const std::string& key : recording.keys) {
    if (const auto value = call.Metadata(key)) metadata[key] = *value;
  }
  return {{"service", service},
          {"caller",
           {{"service", caller.service}, {"version", caller.version}, {"labels", caller.labels}}},
          {"method", call.path()},
          {"metadata", std::move(metadata)},
          {"count", std::llround(1 / recording.share)}};
}

}  // namespace

void route::internal::Record(std::string_view service, const CallFacts& call) {
  const std::shared_ptr<Recorder> recorder = Current();
  if (recorder == nullptr) return;
  const auto number = recorder->Draw();
  if (!number.has_value()) return;
  WriterThread().Run(
      [recorder, line = Line(service, call, recorder->recording())] { recorder->Write(line); });
  if (*number + 1 == recorder->recording().most) {
    recording.store(false, std::memory_order_relaxed);
    base::Log(LogSeverity::kInfo, "rules",
              Concat({"the recording of calls in ", recorder->recording().path, " is complete"}));
  }
}

absl::Status StartRecordingCalls(const CallRecording& recording) {
  if (absl::Status status = Check(recording); !status.ok()) return status;
  Slot& slot = TheSlot();
  const base::MutexLock lock(slot.mutex);
  if (slot.recorder != nullptr) {
    return absl::AlreadyExistsError(
        Concat({"calls are being recorded in ", slot.recorder->recording().path}));
  }
  const int descriptor =
      open(recording.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  std::FILE* const file = descriptor < 0 ? nullptr : fdopen(descriptor, "a");
  if (file == nullptr) {
    return absl::InvalidArgumentError(
        Concat({"path: cannot open ", model::Quoted(recording.path), ": ", std::strerror(errno)}));
  }
  slot.recorder = std::make_shared<Recorder>(recording, file);
  route::internal::recording.store(true, std::memory_order_relaxed);
  return absl::OkStatus();
}

void StopRecordingCalls() {
  std::shared_ptr<Recorder> recorder;
  {
    Slot& slot = TheSlot();
    const base::MutexLock lock(slot.mutex);
    route::internal::recording.store(false, std::memory_order_relaxed);
    recorder.swap(slot.recorder);
  }
  if (recorder == nullptr) return;
  struct Done {
    base::Mutex mutex;
    base::CondVar changed;
    bool done ABSL_GUARDED_BY(mutex) = false;
  };
  const auto done = std::make_shared<Done>();
  WriterThread().Run([recorder = std::move(recorder), done]() mutable {
    recorder.reset();  // which closes the file, unless a call is on its way to write still
    const base::MutexLock lock(done->mutex);
    done->done = true;
    done->changed.NotifyAll();
  });
  const base::MutexLock lock(done->mutex);
  while (!done->done) done->changed.Wait(done->mutex);
}

}  // namespace turnout
