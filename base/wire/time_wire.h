// Times and durations between absl and protobuf. Pure functions, thread-safe.
#ifndef VIGIL_BASE_WIRE_TIME_WIRE_H_
#define VIGIL_BASE_WIRE_TIME_WIRE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace vigil {

// The longest duration that protobuf knows, 10,000 years either way.
inline constexpr absl::Duration kProtoDurationMax =
    absl::Seconds(int64_t{315'576'000'000});

// Whether the message is a duration at all: protobuf allows other contents,
// which have no form in JSON.
inline bool IsWellFormed(const google::protobuf::Duration& proto) {
  const int64_t seconds_max = absl::ToInt64Seconds(kProtoDurationMax);
  constexpr int32_t kNanosMax = 999'999'999;
  return proto.seconds() >= -seconds_max && proto.seconds() <= seconds_max &&
         proto.nanos() >= -kNanosMax && proto.nanos() <= kNanosMax &&
         (proto.seconds() == 0 || proto.nanos() == 0 ||
          (proto.seconds() > 0) == (proto.nanos() > 0));
}

// What is longer than protobuf knows is cut to that, so that ToProto has a form
// for it.
inline absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return std::clamp(
      absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos()),
      -kProtoDurationMax, kProtoDurationMax);
}

inline absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) +
         absl::Nanoseconds(proto.nanos());
}

// An infinite duration has no form in protobuf; callers leave the field out.
inline void ToProto(absl::Duration duration,
                    google::protobuf::Duration* proto) {
  proto->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto->set_nanos(static_cast<int>(
      absl::IDivDuration(duration, absl::Nanoseconds(1), &duration)));
}

inline void ToProto(absl::Time time, google::protobuf::Timestamp* proto) {
  absl::Duration rest = time - absl::UnixEpoch();
  proto->set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
  if (rest < absl::ZeroDuration()) {
    proto->set_seconds(proto->seconds() - 1);
    rest += absl::Seconds(1);
  }
  proto->set_nanos(
      static_cast<int>(absl::IDivDuration(rest, absl::Nanoseconds(1), &rest)));
}

}  // namespace vigil

#endif  // VIGIL_BASE_WIRE_TIME_WIRE_H_
