// MakeRepeatable: whether a request may be sent again when nobody knows what
// became of it. A pure function but for random ids; thread-safe.
#ifndef VIGIL_CLIENT_CC_REPEATABLE_H_
#define VIGIL_CLIENT_CC_REPEATABLE_H_

#include "google/protobuf/message.h"

namespace vigil::client {

// Gives each empty request_id of `request`, and of the messages in it that
// have one, an id of its own, so that what it makes is made once. Returns
// whether the request is safe to repeat then: not one with a `first_index` that
// is absent, which adds its items again.
bool MakeRepeatable(google::protobuf::Message* request);

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_REPEATABLE_H_
