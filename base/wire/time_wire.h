// Times and durations between absl and protobuf. Pure functions, thread-safe.
#ifndef VIGIL_BASE_WIRE_TIME_WIRE_H_
#define VIGIL_BASE_WIRE_TIME_WIRE_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace vigil {

inline absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
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
