// Outlier detection for a channel: an instance that fails much more often than the others gets no
// calls for a while, although it can be reached.
//
//   turnout::CreateChannel(target, credentials,
//                          {.service_config_json = turnout::WithOutlierDetection("{}")});
//
// It is gRPC's own policy `outlier_detection_experimental` (gRFC A50), as the parent of the policy
// that chooses. In each interval it counts, for each address, the calls that ended OK and those
// that did not, whatever their status: NOT_FOUND counts like UNAVAILABLE. An ejected instance is
// ConnectionState::kUnhealthy for our pickers, which avoid it; connections stay.
#ifndef TURNOUT_SERVICE_CONFIG_H_
#define TURNOUT_SERVICE_CONFIG_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace turnout {

// The defaults are those of the gRFC, but that it ejects nothing unless one of the two algorithms
// is asked for: here both are.
struct OutlierDetectionOptions {
  // How often instances are judged, by the calls that have ended since the last time. At least
  // 1 ms: gRPC would not stop judging.
  std::chrono::milliseconds interval = std::chrono::seconds(10);

  // An instance is ejected for so long, times the number of times that it has been ejected lately,
  // but for no longer than `max_ejection_time` (or `base_ejection_time`, if that is more). It comes
  // back at the first judgement after that.
  std::chrono::milliseconds base_ejection_time = std::chrono::seconds(30);
  std::chrono::milliseconds max_ejection_time = std::chrono::seconds(300);

  // Share of the instances that may be ejected at a time, in percent; one always may. 0 to 100.
  int max_ejection_percent = 10;

  // Ejects those whose success rate is below the mean of all by more than stdev_factor / 1000
  // standard deviations. With 8 instances of which one fails always: mean 87.5%, deviation 33.1%,
  // so it is ejected below 87.5 - 1.9 × 33.1 = 24.6%. Unset: not used.
  struct SuccessRate {
    int stdev_factor = 1900;
    int enforcement_percentage = 100;  // probability of an ejection that is due; 0 to 100
    int minimum_hosts = 5;     // with enough calls; below that, there is no mean worth its name
    int request_volume = 100;  // calls in the interval that an instance needs to be judged
  };
  std::optional<SuccessRate> success_rate = SuccessRate{};

  // Ejects those of whose calls more than `threshold` percent fail. Unset: not used.
  struct FailurePercentage {
    int threshold = 85;                // 0 to 100
    int enforcement_percentage = 100;  // probability of an ejection that is due; 0 to 100
    int minimum_hosts = 5;             // with enough calls
    int request_volume = 50;           // calls in the interval that an instance needs to be judged
  };
  std::optional<FailurePercentage> failure_percentage = FailurePercentage{};
};

// `service_config_json` with outlier detection around its policy, which is `{"turnout":{}}` if it
// names none. All else in it stays; empty is `{}`. The text for
// ChannelOptions::service_config_json.
//
// It always writes `enforcementPercentage`, which gRPC 1.51 takes for 0 where it is missing: the
// gRFC says 100, and with 0 nothing is ever ejected. turnout::CreateChannel refuses a configuration
// without it, as it refuses options that are out of range. Text that is not a JSON object comes
// back as it is, for CreateChannel to say what is wrong.
//
// Pure; thread-safe.
std::string WithOutlierDetection(std::string_view service_config_json,
                                 const OutlierDetectionOptions& options = {});

}  // namespace turnout

#endif  // TURNOUT_SERVICE_CONFIG_H_
