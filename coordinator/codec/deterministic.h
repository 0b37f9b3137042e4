// Serialization of which equal messages have equal bytes (maps are sorted), for
// hashing and sharing. Pure function, thread-safe.
#ifndef VIGIL_COORDINATOR_CODEC_DETERMINISTIC_H_
#define VIGIL_COORDINATOR_CODEC_DETERMINISTIC_H_

#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message_lite.h"

namespace vigil::coordinator {

inline std::string SerializeDeterministically(
    const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_CODEC_DETERMINISTIC_H_
