#include "coordinator/http/stream_answer.h"

#include "coordinator/http/connect_error.h"
#include "coordinator/http/envelope.h"

namespace vigil::coordinator {

HttpResponse StreamHead(Codec codec) {
  HttpResponse response;
  response.fields = {{"content-type", codec == Codec::kJson
                                          ? "application/connect+json"
                                          : "application/connect+proto"}};
  return response;
}

std::string StreamEnd(const absl::Status& status, const HttpFields& trailing) {
  return Enveloped(EnvelopeKind::kEndStream, EndStreamJson(status, trailing));
}

HttpResponse StreamRefusal(Codec codec, const absl::Status& status) {
  HttpResponse response = StreamHead(codec);
  response.body = StreamEnd(status, {});
  return response;
}

}  // namespace vigil::coordinator
