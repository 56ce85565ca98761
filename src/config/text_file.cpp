#include "config/text_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_parser.hpp"
#include "config/swanctl_parser.hpp"

namespace cygnet::config {
namespace {

/// Octets of all files together.
constexpr std::size_t kTotalOctetsMax = 16 * 1024 * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

Place place_of(std::string_view text, std::size_t at, const std::string& path) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is no line end
  return {path, static_cast<unsigned>(std::ranges::count(before, '\n') + 1),
          static_cast<unsigned>(at - line_start + 1)};
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(',');
    const std::string_view part = trimmed(text.substr(0, at));
    if (!part.empty()) out.push_back(part);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

bool take_text(std::string_view& text, const std::string& path, Diagnostics& diags) {
  if (text.size() > kFileOctetsMax) {
    diags.error({path, 0, 0}, fmt::format("file larger than {} octets", kFileOctetsMax));
    return false;
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    diags.error(place_of(text, nul, path), "NUL octet: this is not a text file");
    return false;
  }
  if (text.starts_with(kByteOrderMark)) {
    diags.warning({path, 1, 1}, "byte order mark: strongSwan does not take it; remove it");
    text.remove_prefix(kByteOrderMark.size());
  }
  return true;
}

void FileStack::stop(const Place& place, std::string text) {
  stopped_ = true;
  diags_.error(place, std::move(text));
}

std::optional<std::string> FileStack::open(const std::string& path, const Place& from) {
  if (stopped_) return std::nullopt;
  if (const auto at = std::ranges::find(stack_, path, &Open::path); at != stack_.end()) {
    const std::string first =
        at->from.line == 0 ? "" : fmt::format(" (included at {})", at->from.text());
    diags_.error(from,
                 fmt::format("include goes in a circle: {} is being read already{}", path, first));
    return std::nullopt;
  }
  if (stack_.size() > kIpsecIncludeDepthMax) {
    diags_.error(from, fmt::format("includes nest deeper than {}", kIpsecIncludeDepthMax));
    return std::nullopt;
  }
  if (++files_read_ > kFilesMax) {
    stop(from, fmt::format("more than {} files", kFilesMax));
    return std::nullopt;
  }
  auto text = files_.read(path);
  if (!text) {
    diags_.error(from, text.error().text());
    return std::nullopt;
  }
  octets_read_ += text->size();
  if (octets_read_ > kTotalOctetsMax) {
    stop(from, fmt::format("all files together exceed {} octets", kTotalOctetsMax));
    return std::nullopt;
  }
  stack_.push_back({path, from});
  return *std::move(text);
}

std::vector<std::string> FileStack::included(std::string pattern, const Place& from) {
  if (!pattern.starts_with('/')) pattern = directory_of(stack_.back().path) + pattern;
  if (pattern.find_first_of("*?[") != std::string::npos) return files_.glob(pattern);
  if (!files_.glob(pattern).empty()) return {pattern};
  diags_.warning(from, fmt::format("there is no file {}", pattern));
  return {};
}

}  // namespace cygnet::config
