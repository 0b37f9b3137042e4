// ProtobufLog: has what the protobuf library would print to stderr go through
// Log, so that clients whose messages cannot be parsed do not fill a disk. Call
// it before other threads start. Thread-safe from then on; owns nothing.
#ifndef VIGIL_BASE_PROTOBUF_LOG_H_
#define VIGIL_BASE_PROTOBUF_LOG_H_

namespace vigil {

// Logs what the library says from now on, as warnings: one in a minute, with
// how many were left out since the last. What ends the process is always
// logged.
void LogWhatProtobufSays();

}  // namespace vigil

#endif  // VIGIL_BASE_PROTOBUF_LOG_H_
