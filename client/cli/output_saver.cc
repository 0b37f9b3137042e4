#include "client/cli/output_saver.h"

#include <errno.h>
#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "client/cli/files.h"

namespace vigil::cli {
namespace {

// Opens `path` anew on its first use.
absl::Status Append(const std::string& path, absl::string_view data,
                    UniqueFd* file) {
  if (!file->valid()) {
    file->Reset(
        open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file->valid()) {
      return absl::ErrnoToStatus(errno,
                                 absl::StrCat("cannot write `", path, "`"));
    }
  }
  absl::Status status = WriteAll(file->get(), data);
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("`", path, "`: ", status.message()));
}

}  // namespace

struct OutputSaver::Saving {
  v1::ReadOutputRequest request;
  std::string path;
  UniqueFd out;
  UniqueFd err;
  int64_t missing_bytes = 0;
  Done done;
};

void OutputSaver::Save(const std::string& job_namespace,
                       const std::string& job_id, int64_t index, Done done) {
  auto saving = std::make_shared<Saving>();
  saving->request.set_namespace_(job_namespace);
  saving->request.set_job_id(job_id);
  saving->path = absl::StrCat(directory_, "/", index);
  saving->done = std::move(done);
  // A job without output has an empty file, not an old one.
  const absl::Status status = Append(saving->path + ".out", "", &saving->out);
  if (!status.ok()) {
    saving->done(status);
    return;
  }
  ReadPage(std::move(saving));
}

void OutputSaver::ReadPage(std::shared_ptr<Saving> saving) {
  v1::ReadOutputRequest request = saving->request;
  client_->Call(std::move(request),
                [this, saving = std::move(saving)](
                    absl::StatusOr<v1::ReadOutputResponse> page) {
                  events_->Post([this, saving, page = std::move(page)] {
                    OnPage(saving, page);
                  });
                },
                {.retry_for = retry_for_});
}

void OutputSaver::OnPage(const std::shared_ptr<Saving>& saving,
                         const absl::StatusOr<v1::ReadOutputResponse>& page) {
  if (!page.ok()) {
    saving->done(page.status());
    return;
  }
  for (const v1::Output& output : page->output()) {
    const bool is_err = output.stream() == v1::Output::STREAM_STDERR;
    const absl::Status status =
        is_err ? Append(saving->path + ".err", output.data(), &saving->err)
               : Append(saving->path + ".out", output.data(), &saving->out);
    if (!status.ok()) {
      saving->done(status);
      return;
    }
  }
  for (const v1::OutputGap& gap : page->gaps()) {
    saving->missing_bytes += gap.size_bytes();
  }
  if (page->next_page_token().empty()) {
    saving->done(saving->missing_bytes);
    return;
  }
  saving->request.set_page_token(page->next_page_token());
  ReadPage(saving);
}

}  // namespace vigil::cli
