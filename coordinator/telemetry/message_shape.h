// What messages of one kind have in common: the same words around other
// numbers, ids and paths. A pure function; thread-safe.
#ifndef VIGIL_COORDINATOR_TELEMETRY_MESSAGE_SHAPE_H_
#define VIGIL_COORDINATOR_TELEMETRY_MESSAGE_SHAPE_H_

#include <string>
#include <string_view>

namespace vigil::coordinator {

// The first line of `message`, at most kMessageBytesMax of it, with "#" for
// each number, and for each word of hexadecimal digits or of id length (12)
// that has a digit in it, and "/" for each path. Two messages with the same
// shape are of one group; it is not meant to be read.
std::string ShapeOf(std::string_view message);

}  // namespace vigil::coordinator

#endif  // VIGIL_COORDINATOR_TELEMETRY_MESSAGE_SHAPE_H_
