#include "config/swanctl_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "config/node.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// Octets of all files together.
constexpr std::size_t kTotalOctetsMax = 64 * 1024 * 1024;

bool ends_name(char c) {
  return blank(c) || c == '\n' || c == '#' || c == '{' || c == '}' || c == '=' || c == '"' ||
         c == ',' || c == ':';
}
bool ends_word(char c) { return blank(c) || c == '\n' || c == '#' || c == '}' || c == '"'; }
/// What all files of one configuration share.
struct Session {
  Files& files;
  Diagnostics& diags;
  std::vector<std::string> stack;  ///< of files being read
  std::size_t files_read = 0;
  std::size_t octets_read = 0;
  std::size_t entries = 0;
  std::size_t depth = 0;  ///< of open sections, over all files
  bool stopped = false;   ///< a limit was exceeded: nothing more is read
};

void read_file(Session& session, const std::string& path, const Place& from, Node& into);

/// One file (or text), read into a section that is open already.
class FileParser {
 public:
  FileParser(Session& session, std::string_view text, const std::string& path)
      : session_(session), text_(text), path_(path) {}

  /// Everything up to the '}' of `node`, or for the section the file starts in, to its end.
  void settings(Node& node, bool nested);

 private:
  [[nodiscard]] bool end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[at_]; }
  [[nodiscard]] Place here() const { return {path_, line_, column_}; }
  void advance();
  void skip_spaces();
  /// Also line ends and comments.
  void skip_filler();
  void skip_comment();
  void stop(const Place& place, std::string text);
  bool count_entry(const Place& place);

  [[nodiscard]] std::optional<std::string> name();
  void statements(Node& node, bool nested);
  void statement(Node& node);
  void key(Node& node, std::string name, Place place);
  void section(Node& node, std::string name, const Place& place);
  void references(Node& node);
  void include(Node& node, const Place& place);
  [[nodiscard]] std::string include_pattern();
  void value(Key& key);
  void word(Key& key, bool first);
  [[nodiscard]] std::string quoted();
  void recover();

  Session& session_;
  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
  bool in_quote_ = false;  ///< a quote that is not closed has taken the rest
  unsigned line_ = 1;
  unsigned column_ = 1;
};

void FileParser::advance() {
  if (text_[at_++] == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
}

void FileParser::skip_spaces() {
  while (!end() && blank(peek())) advance();
}

void FileParser::skip_comment() {
  while (!end() && peek() != '\n') advance();
}

void FileParser::skip_filler() {
  for (;;) {
    skip_spaces();
    if (end()) return;
    if (peek() == '#') {
      skip_comment();
    } else if (peek() == '\n') {
      advance();
    } else {
      return;
    }
  }
}

void FileParser::stop(const Place& place, std::string text) {
  if (!session_.stopped) session_.diags.error(place, std::move(text));
  session_.stopped = true;
  at_ = text_.size();
}

bool FileParser::count_entry(const Place& place) {
  if (++session_.entries <= kEntriesMax) return true;
  stop(place, fmt::format("more than {} keys and sections", kEntriesMax));
  return false;
}

void FileParser::settings(Node& node, bool nested) {
  if (nested && session_.depth >= kSectionDepthMax) {
    return stop(node.place, fmt::format("sections nest deeper than {}", kSectionDepthMax));
  }
  session_.depth += nested ? 1 : 0;
  statements(node, nested);
  session_.depth -= nested ? 1 : 0;
}

void FileParser::statements(Node& node, bool nested) {
  for (;;) {
    skip_filler();
    if (session_.stopped) return;
    if (end()) {
      if (nested && !in_quote_) {
        session_.diags.error(node.place,
                             fmt::format("section '{}' is not closed, '}}' is missing", node.name));
      }
      return;
    }
    if (peek() == '}') {
      const Place place = here();
      advance();
      if (nested) return;
      session_.diags.error(place, "'}' without a section to close");
      continue;
    }
    statement(node);
  }
}

/// After a fault: the rest of the line is skipped, an opened section read and forgotten.
void FileParser::recover() {
  while (!end() && peek() != '\n' && peek() != '}') {
    if (peek() == '#') {
      skip_comment();
    } else if (peek() == '"') {
      static_cast<void>(quoted());
    } else if (peek() == '{') {
      Node forgotten;
      forgotten.name = "?";
      forgotten.place = here();
      advance();
      settings(forgotten, true);
      return;
    } else {
      advance();
    }
  }
}

std::optional<std::string> FileParser::name() {
  std::string out;
  const Place place = here();
  while (!end()) {
    const char c = peek();
    if (c == ':' && at_ + 1 < text_.size() && text_[at_ + 1] == ':') {
      advance();  // "::" stands for ':'
    } else if (ends_name(c)) {
      break;
    }
    if (control(peek())) {
      session_.diags.error(here(), "control character in a name");
      return std::nullopt;
    }
    out += peek();
    advance();
  }
  if (out.size() > kNameOctetsMax) {
    session_.diags.error(place, fmt::format("name longer than {} characters", kNameOctetsMax));
    return std::nullopt;
  }
  return out;
}

void FileParser::statement(Node& node) {
  const Place place = here();
  const char first = peek();
  std::optional<std::string> text = name();
  if (!text) return recover();
  if (text->empty()) {
    session_.diags.error(place, first == '"' ? std::string{"a name cannot be quoted"}
                                             : fmt::format("expected a name, found '{}'", first));
    if (first != '{' && first != '"') advance();
    return recover();
  }
  const bool spaced = !end() && blank(peek());
  skip_spaces();
  const char next = end() ? '\n' : peek();
  if (*text == "include" && spaced && next != '=' && next != '{' && next != ':') {
    return include(node, place);
  }
  if (next == '=') return key(node, *std::move(text), place);
  if (next == ':') return section(node, *std::move(text), place);
  if (next == '\n' || next == '#') skip_filler();
  if (!end() && peek() == '{') return section(node, *std::move(text), place);
  session_.diags.error(place, fmt::format("expected '=' or '{{' after '{}'", *text));
  if (next != '\n' && next != '#') recover();
}

void FileParser::key(Node& node, std::string name, Place place) {
  advance();  // '='
  Key fresh{.name = std::move(name),
            .value = {},
            .items = {},
            .place = std::move(place),
            .value_place = {}};
  value(fresh);
  if (fresh.name.find('.') != std::string::npos) {
    session_.diags.error(fresh.place, fmt::format("'{}': a key cannot hold '.'; write it within "
                                                  "its sections, as a {{ b = value }}",
                                                  fresh.name));
    return;
  }
  if (!count_entry(fresh.place)) return;
  const auto at = node.key_index.find(fresh.name);
  if (at == node.key_index.end()) {
    node.key_index.emplace(fresh.name, node.keys.size());
    node.keys.push_back(std::move(fresh));
    return;
  }
  Key& old = node.keys[at->second];
  if (old.place.file == fresh.place.file) {
    session_.diags.warning(
        fresh.place, fmt::format("'{}' is set again, its value in line {} is lost; remove one",
                                 fresh.name, old.place.line));
  }
  old = std::move(fresh);
}

void FileParser::section(Node& node, std::string name, const Place& place) {
  if (!count_entry(place)) return;
  Node* inner = node.find(name);
  if (inner == nullptr) {
    node.child_index.emplace(name, node.children.size());
    node.children.push_back(std::make_unique<Node>());
    inner = node.children.back().get();
    inner->name = std::move(name);
    inner->place = place;
  } else if (session_.depth > 0 && inner->place.file == place.file) {
    session_.diags.warning(
        place, fmt::format("section '{}' continues the one in line {}", name, inner->place.line));
  }
  if (peek() == ':') references(*inner);
  skip_filler();
  if (end() || peek() != '{') {
    session_.diags.error(here(), fmt::format("expected '{{' to open section '{}'", inner->name));
    return recover();
  }
  advance();
  settings(*inner, true);
}

void FileParser::references(Node& node) {
  do {
    advance();  // ':' or ','
    skip_filler();
    const Place place = here();
    std::optional<std::string> path = name();
    if (!path) return;
    if (path->empty()) {
      session_.diags.error(place, "expected the name of a section to inherit from");
      return;
    }
    if (node.references.size() >= kReferencesMax) {
      session_.diags.error(place, fmt::format("more than {} references", kReferencesMax));
      return;
    }
    node.references.push_back({*std::move(path), place});
    skip_filler();
  } while (!end() && peek() == ',');
}

void FileParser::value(Key& key) {
  skip_spaces();
  key.value_place = here();
  std::size_t start = at_;
  bool first = true;
  while (!end() && peek() != '\n' && peek() != '#' && peek() != '}') {
    if (!first) key.value += ' ';
    if (peek() == '"') {
      if (first) {
        ++start;
        ++key.value_place.column;
      }
      key.value += quoted();
    } else {
      word(key, first);
    }
    first = false;
    skip_spaces();
  }
  if (key.value.size() > kValueOctetsMax) {
    session_.diags.error(key.value_place,
                         fmt::format("value longer than {} octets", kValueOctetsMax));
    key.value.clear();
  }
  key.verbatim = !key.value.empty() && start <= text_.size() &&
                 text_.substr(start).starts_with(key.value) &&
                 key.value.find('\n') == std::string::npos;
}

void FileParser::word(Key& key, bool first) {
  const std::size_t start = at_;
  while (!end() && !ends_word(peek())) {
    if (control(peek())) session_.diags.error(here(), "control character in a value");
    advance();
  }
  const std::string_view word = text_.substr(start, at_ - start);
  key.value += word;
  if (!end() && peek() == '#') {
    session_.diags.warning(here(), "the value ends at this '#'; quote it if '#' belongs to it");
  }
  const bool last = end() || peek() == '\n' || text_.substr(at_).starts_with("\r\n");
  if (first && word == "{") {
    session_.diags.error(key.value_place,
                         fmt::format("a section is written '{} {{', without '='", key.name));
    key.value.clear();
    Node forgotten;
    forgotten.name = key.name;
    forgotten.place = key.place;
    settings(forgotten, true);
  } else if (last && word.ends_with('\\')) {
    session_.diags.warning(here(), "'\\' continues a line only within quotes");
  }
}

std::string FileParser::quoted() {
  const Place opened = here();
  std::string out;
  advance();
  while (!end() && peek() != '"') {
    char c = peek();
    advance();
    if (c == '\r') continue;
    if (c == '\\') {
      if (!end() && peek() == '\r' && text_.substr(at_).starts_with("\r\n")) advance();
      if (end()) break;
      c = peek();
      advance();
      if (c == '\n') continue;  // joins the lines
      if (c == 'n') c = '\n';
      if (c == 'r') c = '\r';
      if (c == 't') c = '\t';
    }
    out += c;
  }
  if (end()) {
    in_quote_ = true;
    session_.diags.error(opened, "quote is not closed, '\"' is missing");
    return {};
  }
  advance();
  return out;
}

std::string FileParser::include_pattern() {
  if (peek() == '"') return quoted();
  std::string out;
  while (!end() && !blank(peek()) && peek() != '\n' && peek() != '#' && peek() != '}') {
    // Only these four are escaped; any other backslash belongs to the shell pattern.
    const bool escape = peek() == '\\' && at_ + 1 < text_.size() &&
                        std::string_view{"\"#} "}.find(text_[at_ + 1]) != std::string_view::npos;
    if (escape) advance();
    out += peek();
    advance();
  }
  return out;
}

void FileParser::include(Node& node, const Place& place) {
  if (end() || peek() == '\n' || peek() == '#' || peek() == '}') {
    session_.diags.error(place, "include needs a file name");
    return;
  }
  const Place at = here();
  std::string pattern = include_pattern();
  if (pattern.empty()) return session_.diags.error(at, "include needs a file name");
  if (!pattern.starts_with('/')) pattern = directory_of(path_) + pattern;
  if (pattern.find_first_of("*?[") == std::string::npos) {
    return read_file(session_, pattern, at, node);
  }
  for (const std::string& path : session_.files.glob(pattern)) {
    if (session_.stopped) return;
    read_file(session_, path, at, node);
  }
}

void read_text(Session& session, std::string_view text, const std::string& path, Node& into) {
  if (!take_text(text, path, session.diags)) return;
  session.octets_read += text.size();
  if (session.octets_read > kTotalOctetsMax) {
    session.stopped = true;
    session.diags.error({path, 0, 0},
                        fmt::format("all files together exceed {} octets", kTotalOctetsMax));
    return;
  }
  session.stack.push_back(path);
  FileParser parser{session, text, path};
  parser.settings(into, false);
  session.stack.pop_back();
}

void read_file(Session& session, const std::string& path, const Place& from, Node& into) {
  if (session.stopped) return;
  if (std::ranges::find(session.stack, path) != session.stack.end()) {
    std::string circle;
    for (const std::string& file : session.stack) circle += file + " -> ";
    return session.diags.error(from, fmt::format("include goes in a circle: {}{}", circle, path));
  }
  if (session.stack.size() > kIncludeDepthMax) {
    return session.diags.error(from, fmt::format("includes nest deeper than {}", kIncludeDepthMax));
  }
  if (++session.files_read > kFilesMax) {
    session.stopped = true;
    return session.diags.error(from, fmt::format("more than {} files", kFilesMax));
  }
  auto text = session.files.read(path);
  if (!text) return session.diags.error(from, text.error().text());
  read_text(session, *text, path, into);
  if (!text->empty()) explicit_bzero(text->data(), text->size());  // it may hold secrets
}

/// Secrets were copied out of the tree of nodes.
void wipe(Node& node) {
  for (Key& key : node.keys) {
    if (!key.value.empty()) explicit_bzero(key.value.data(), key.value.size());
  }
  for (const auto& child : node.children) wipe(*child);
}

Section finish(Session& session, Node& root) {
  Section out;
  if (!session.stopped) out = resolve_references(root, session.diags);
  out.place = root.place;
  wipe(root);
  return out;
}

}  // namespace

Section parse_swanctl(const std::string& path, Files& files, Diagnostics& diags) {
  Session session{.files = files, .diags = diags, .stack = {}};
  Node root;
  root.place = {path, 0, 0};
  read_file(session, path, root.place, root);
  return finish(session, root);
}

Section parse_swanctl_text(std::string_view text, const std::string& path, Files& files,
                           Diagnostics& diags) {
  Session session{.files = files, .diags = diags, .stack = {}};
  Node root;
  root.place = {path, 0, 0};
  read_text(session, text, path, root);
  return finish(session, root);
}

}  // namespace cygnet::config
