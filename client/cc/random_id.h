// Random identifiers and numbers for clients: the one place of the library
// that asks the system for randomness. Thread-safe functions; nothing is
// owned.
#ifndef VIGIL_CLIENT_CC_RANDOM_ID_H_
#define VIGIL_CLIENT_CC_RANDOM_ID_H_

#include <string>

namespace vigil::client {

// 128 random bits as 32 hexadecimal digits: a request_id that nobody else
// uses.
std::string RandomId();

// Uniform in [0, 1).
double RandomFraction();

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_RANDOM_ID_H_
