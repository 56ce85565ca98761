// What the parsers share about text and files. Internal to config.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/files.hpp"

namespace cygnet::config {

[[nodiscard]] inline bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
[[nodiscard]] inline bool control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet == 0x7f;
}

/// The part up to and with the last '/': what relative names in a file start from.
[[nodiscard]] std::string directory_of(const std::string& path);
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// The parts between commas, trimmed, without empty ones.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

/// Whether a file can be taken as text: of at most kFileOctetsMax octets, without NUL. A byte
/// order mark is taken off, with a warning.
[[nodiscard]] bool take_text(std::string_view& text, const std::string& path, Diagnostics& diags);

/// Where a parser stands in a file that it reads line by line. `text` and `path` must outlive it.
class LineCursor {
 public:
  LineCursor(std::string_view text, const std::string& path) : text_(text), path_(path) {}

 protected:
  [[nodiscard]] bool line_end() const { return at_ >= text_.size() || text_[at_] == '\n'; }
  [[nodiscard]] Place here() const {
    return {path_, line_, static_cast<unsigned>(at_ - line_start_ + 1)};
  }
  void skip_blanks() {
    while (!line_end() && blank(text_[at_])) ++at_;
  }
  [[nodiscard]] std::size_t line_octets() const {
    return std::min(text_.find('\n', at_), text_.size()) - at_;
  }
  void next_line() {
    at_ = std::min(at_ + line_octets() + 1, text_.size());
    line_start_ = at_;
    ++line_;
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  unsigned line_ = 1;
};

/// The files that ipsec.conf or ipsec.secrets is made of, one included by another.
class FileStack {
 public:
  FileStack(Files& files, Diagnostics& diags) : files_(files), diags_(diags) {}

  /// The text of a file that the statement at `from` asks for; nothing, with a diagnostic, when it
  /// is being read already, cannot be read, or a limit is exceeded. Then close() must follow.
  [[nodiscard]] std::optional<std::string> open(const std::string& path, const Place& from);
  void close() { stack_.pop_back(); }
  /// What `include pattern` in the file that is open means. One that is not there is a warning: so
  /// does strongSwan's starter, and packages leave such lines behind.
  [[nodiscard]] std::vector<std::string> included(std::string pattern, const Place& from);
  /// A limit was exceeded: nothing more is read.
  [[nodiscard]] bool stopped() const { return stopped_; }
  void stop() { stopped_ = true; }
  [[nodiscard]] bool empty() const { return stack_.empty(); }

 private:
  struct Open {
    std::string path;
    Place from;
  };
  void stop(const Place& place, std::string text);

  Files& files_;
  Diagnostics& diags_;
  std::vector<Open> stack_;
  std::size_t files_read_ = 0;
  std::size_t octets_read_ = 0;
  bool stopped_ = false;
};

}  // namespace cygnet::config
