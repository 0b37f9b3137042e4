#include "coordinator/store/power_cut_disk.h"

#include <algorithm>
#include <utility>

namespace vigil::store {
namespace {

void WriteAt(const char* data, size_t size, size_t offset,
             std::string& content) {
  if (content.size() < offset + size) content.resize(offset + size);
  content.replace(offset, size, data, size);
}

// Writes some of the sectors of a write.
void WriteSectors(const DiskEvent& write, size_t sector_bytes,
                  std::mt19937_64& random, uint64_t percent,
                  std::string& content) {
  const auto offset = static_cast<size_t>(write.offset);
  for (size_t from = 0; from < write.data.size();) {
    const size_t room = sector_bytes - (offset + from) % sector_bytes;
    const size_t size = std::min(room, write.data.size() - from);
    if (random() % 100 < percent) {
      WriteAt(write.data.data() + from, size, offset + from, content);
    }
    from += size;
  }
}

}  // namespace

void PowerCutDisk::Apply(const DiskEvent& event) {
  switch (event.kind) {
    case DiskEvent::Kind::kCreate:
      return AddChange({"", event.file, std::make_shared<Node>()});
    case DiskEvent::Kind::kRemove:
      return AddChange({event.file, "", nullptr});
    case DiskEvent::Kind::kRename:
      return AddChange({event.file, event.new_name, now_.at(event.file)});
    case DiskEvent::Kind::kWrite:
    case DiskEvent::Kind::kTruncate:
      now_.at(event.file)->pending.push_back(&event);
      return;
    case DiskEvent::Kind::kSync: {
      Node& node = *now_.at(event.file);
      for (const DiskEvent* write : node.pending) {
        ApplyWrite(*write, node.synced);
      }
      node.pending.clear();
      return;
    }
    case DiskEvent::Kind::kSyncDirectory:
      durable_ = now_;
      changes_.clear();
      return;
    case DiskEvent::Kind::kMark:
      return;
  }
}

PowerCutDisk::Image PowerCutDisk::Nothing() const {
  Image image;
  for (const auto& [name, node] : durable_) image[name] = node->synced;
  return image;
}

PowerCutDisk::Image PowerCutDisk::All() const {
  Image image;
  for (const auto& [name, node] : now_) {
    std::string& content = image[name] = node->synced;
    for (const DiskEvent* write : node->pending) ApplyWrite(*write, content);
  }
  return image;
}

PowerCutDisk::Image PowerCutDisk::Torn(uint64_t seed,
                                       int64_t sector_bytes) const {
  std::mt19937_64 random(seed);
  // From nearly nothing to nearly everything.
  const uint64_t percent = 5 + random() % 91;
  Directory directory = durable_;
  for (const Change& change : changes_) {
    if (random() % 100 < percent) ApplyChange(change, directory);
  }
  Image image;
  for (const auto& [name, node] : directory) {
    std::string& content = image[name] = node->synced;
    for (const DiskEvent* write : node->pending) {
      if (write->kind == DiskEvent::Kind::kWrite) {
        WriteSectors(*write, static_cast<size_t>(sector_bytes), random, percent,
                     content);
      } else if (random() % 100 < percent) {
        ApplyWrite(*write, content);
      }
    }
  }
  return image;
}

void PowerCutDisk::ApplyChange(const Change& change, Directory& directory) {
  directory.erase(change.from);
  if (!change.to.empty()) directory[change.to] = change.node;
}

void PowerCutDisk::ApplyWrite(const DiskEvent& event, std::string& content) {
  if (event.kind == DiskEvent::Kind::kTruncate) {
    content.resize(static_cast<size_t>(event.offset));
    return;
  }
  WriteAt(event.data.data(), event.data.size(),
          static_cast<size_t>(event.offset), content);
}

void PowerCutDisk::AddChange(Change change) {
  ApplyChange(change, now_);
  changes_.push_back(std::move(change));
}

}  // namespace vigil::store
