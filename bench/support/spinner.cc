#include "bench/support/spinner.h"

#include <utility>

#include "bench/support/client.h"

namespace turnout::bench {

Spinner::Spinner(const std::shared_ptr<grpc::Channel>& channel, std::string version)
    : stub_(channel), version_(std::move(version)), thread_([this] { Run(); }) {}

Spinner::~Spinner() {
  stop_ = true;
  thread_.join();
}

Spinner::Clock::time_point Spinner::LastArrivalAt(const std::string& address) {
  const std::lock_guard lock(mutex_);
  return last_[address];
}

absl::Status Spinner::status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Spinner::Run() {
  while (!stop_) {
    const Answer answer = Call(stub_, version_);
    const std::lock_guard lock(mutex_);
    if (!answer.status.ok()) {
      status_ = answer.status;
      return;
    }
    last_[answer.address] = answer.arrived;
  }
}

}  // namespace turnout::bench
