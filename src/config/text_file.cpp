#include "config/text_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/swanctl_parser.hpp"

namespace cygnet::config {
namespace {

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

}  // namespace cygnet::config
