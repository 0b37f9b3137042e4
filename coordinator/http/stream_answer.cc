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

HttpResponse StreamRefusal(Codec codec, const absl::Status& status) {
  HttpResponse response = StreamHead(codec);
  response.body =
      Enveloped(EnvelopeKind::kEndStream, EndStreamJson(status, {}));
  return response;
}

}  // namespace vigil::coordinator
