// The services that the harness plays with, and what its client calls of them.
#ifndef TURNOUT_TESTS_FAULTS_TRAFFIC_H_
#define TURNOUT_TESTS_FAULTS_TRAFFIC_H_

#include <array>
#include <chrono>

namespace turnout::faults {

struct Role {
  const char* service;
  const char* version;
};

inline constexpr char kAlpha[] = "faults.alpha";
inline constexpr char kBeta[] = "faults.beta";
inline constexpr std::array<const char*, 2> kServices = {kAlpha, kBeta};

// Two or more of each, so that one may fail and no call has to.
inline constexpr std::array<Role, 7> kFleet = {{{kAlpha, "v1"},
                                                {kAlpha, "v1"},
                                                {kAlpha, "v1"},
                                                {kAlpha, "v2"},
                                                {kAlpha, "v2"},
                                                {kBeta, "v1"},
                                                {kBeta, "v1"}}};

// What calls ask for. An empty version: any.
inline constexpr std::array<Role, 4> kAsked = {
    {{kAlpha, "v1"}, {kAlpha, "v2"}, {kBeta, "v1"}, {kAlpha, ""}}};

// Short, so that a run is; long enough for a loaded machine not to lose leases by itself.
inline constexpr std::chrono::seconds kTtl{3};

// Of each call. Far above what a call takes, since most faults must not fail any.
inline constexpr std::chrono::seconds kCallDeadline{5};

// As docs/reliability.md recommends it.
inline constexpr char kRetryConfig[] =
    R"("methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.05s",)"
    R"("maxBackoff":"1s","backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}])";

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_TRAFFIC_H_
