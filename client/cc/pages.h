// SetNextPage: how lists are read page by page, in any form of call:
//   do {
//     auto page = client->Call(request).Wait();
//     ...
//   } while (SetNextPage(*page, &request));
// A pure function, thread-safe.
#ifndef VIGIL_CLIENT_CC_PAGES_H_
#define VIGIL_CLIENT_CC_PAGES_H_

namespace vigil::client {

// Has `request` ask for the page behind `response`; false: that was the last. A
// page may be empty, and not be the last.
template <typename Request, typename Response>
bool SetNextPage(const Response& response, Request* request) {
  request->set_page_token(response.next_page_token());
  return !response.next_page_token().empty();
}

}  // namespace vigil::client

#endif  // VIGIL_CLIENT_CC_PAGES_H_
