#include "src/etcd/log_in.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/base/read_file.h"
#include "src/etcd/rpc.h"
#include "src/etcd/side_threads.h"

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;

constexpr char kAuthenticate[] = "/etcdserverpb.Auth/Authenticate";
constexpr std::size_t kMostPasswordBytes = 64 * 1024;
constexpr milliseconds kMostOfALogIn{10000};

// The last line break is an editor's.
absl::StatusOr<std::string> ReadPassword(const std::string& path) {
  auto content = base::ReadFile(path, kMostPasswordBytes);
  if (!content.ok()) return content;
  std::string password = *std::move(content);
  if (!password.empty() && password.back() == '\n') password.pop_back();
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.empty()) return absl::FailedPreconditionError(path + " holds no password");
  return password;
}

// What gRPC takes as the value of a header; it ends the program for others.
bool IsHeaderValue(const std::string& token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

LogIn::LogIn(Cluster& cluster, const RegistryOptions& options)
    : cluster_(cluster),
      // etcd takes its time to check a password.
      caller_(
          std::make_unique<Caller>(cluster, std::min(options.request_timeout * 2, kMostOfALogIn))),
      username_(options.username),
      password_(options.password),
      password_file_(options.password_file) {}

LogIn::~LogIn() = default;

void LogIn::GetToken(milliseconds patience, TokenCallback done) {
  if (token_.has_value()) return done(*token_);
  const auto waiter = waiters_.insert(waiters_.end(), {std::move(done), nullptr});
  const bool in_vain = !under_way_ && Clock::now() < not_before_;
  waiter->limit = EventLoop::Get().RunAfter(in_vain ? milliseconds(0) : patience, [this, waiter] {
    const Waiter taken = std::move(*waiter);
    waiters_.erase(waiter);
    taken.done(!last_error_.ok()
                   ? last_error_
                   : absl::DeadlineExceededError(absl::StrCat(
                         "etcd Authenticate on ", cluster_.endpoints(), ": no answer yet")));
  });
  if (!in_vain && !under_way_) Begin();
}

bool LogIn::ConcernsToken(const grpc::Status& status) {
  const std::string message = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAUTHENTICATED:
      return true;
    case grpc::StatusCode::INVALID_ARGUMENT:
      // The first: users or roles have changed since the log-in. The second: the log-in found that
      // etcd asks nobody who he is, and now it does.
      return absl::StrContains(message, "revision of auth store is old") ||
             absl::StrContains(message, "user name is empty");
    default:
      return false;
  }
}

void LogIn::Reject(const std::string& token) {
  if (token_ == token) token_.reset();
}

void LogIn::Begin() {
  under_way_ = true;
  if (!cluster_.transport().uses_tls() && !std::exchange(told_plain_, true)) {
    base::Log(LogSeverity::kWarning, "etcd",
              absl::StrCat("the password goes to etcd at ", cluster_.endpoints(),
                           " in plain text, for all on the way to read: set tls "
                           "(TURNOUT_ETCD_TLS=1, or TURNOUT_ETCD_CA_FILE)"));
  }
  if (password_file_.empty()) return Authenticate(password_);
  FilesThread().Run([this] {
    EventLoop::Get().Post(
        [this, password = ReadPassword(password_file_)] { Authenticate(password); });
  });
}

void LogIn::Authenticate(const absl::StatusOr<std::string>& password) {
  if (!password.ok()) {
    return Fail(absl::UnauthenticatedError(
                    absl::StrCat("cannot log in to etcd as \"", absl::CHexEscape(username_),
                                 "\": password_file ", password.status().message())),
                backoff_);
  }
  etcdpb::AuthenticateRequest request;
  request.set_name(username_);
  request.set_password(*password);
  caller_->Call<etcdpb::AuthenticateResponse>(
      kAuthenticate, request,
      [this, sent = *password](absl::StatusOr<etcdpb::AuthenticateResponse> answer) {
        // Whoever answers has been told the password, and might repeat it.
        if (!answer.ok() && absl::StrContains(answer.status().message(), sent)) {
          answer = absl::Status(answer.status().code(), "etcd Authenticate: failed");
        }
        OnAnswer(answer);
      });
}

void LogIn::OnAnswer(const absl::StatusOr<etcdpb::AuthenticateResponse>& answer) {
  if (answer.ok() && IsHeaderValue(answer->token())) return Succeed(answer->token());
  if (answer.ok()) {
    return Fail(absl::UnauthenticatedError("etcd Authenticate: the token is no text"), backoff_);
  }
  const absl::Status& error = answer.status();
  if (error.code() == absl::StatusCode::kFailedPrecondition &&
      absl::StrContains(error.message(), "authentication is not enabled")) {
    if (!std::exchange(told_unneeded_, true)) {
      base::Log(LogSeverity::kWarning, "etcd",
                absl::StrCat("etcd at ", cluster_.endpoints(),
                             " asks nobody for a password (authentication is not enabled there); "
                             "everyone who reaches it can change the registrations"));
    }
    return Succeed("");
  }
  if (IsMembersFault(error)) return Fail(error, backoff_);
  Fail(absl::UnauthenticatedError(absl::StrCat(
           "etcd at ", cluster_.endpoints(), " does not take the password of user \"",
           absl::CHexEscape(username_), "\", or knows no such user: correct username and ",
           password_file_.empty() ? "password (TURNOUT_ETCD_USER, TURNOUT_ETCD_PASSWORD)"
                                  : absl::StrCat("password_file ", password_file_,
                                                 " (TURNOUT_ETCD_USER, "
                                                 "TURNOUT_ETCD_PASSWORD_FILE)"))),
       refused_backoff_);
}

void LogIn::Succeed(std::string token) {
  under_way_ = false;
  token_ = std::move(token);
  last_error_ = absl::OkStatus();
  not_before_ = {};
  backoff_.Reset();
  refused_backoff_.Reset();
  AnswerAll(*token_);
}

void LogIn::Fail(absl::Status why, base::Backoff& backoff) {
  under_way_ = false;
  last_error_ = std::move(why);
  not_before_ = Clock::now() + backoff.Next();
  AnswerAll(last_error_);
}

void LogIn::AnswerAll(const absl::StatusOr<std::string>& token) {
  // A copy: who is answered may have the token rejected.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const absl::StatusOr<std::string> answer = token;
  for (const Waiter& waiter : std::exchange(waiters_, {})) waiter.done(answer);
}

}  // namespace turnout::etcd
