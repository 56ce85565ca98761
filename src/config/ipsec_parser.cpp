#include "config/ipsec_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "config/ipsec_raw.hpp"
#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"
#include "model/suggest.hpp"

namespace cygnet::config {
namespace {

/// A word we do not read.
struct Stray {
  Place place;
  IpsecKind kind = IpsecKind::conn;
  std::string word;
};

/// What all files of one configuration share.
struct Session {
  Diagnostics& diags;
  FileStack files;
  RawSection setup;
  RawGroup conns;
  RawGroup cas;

  /// The section that lines belong to, also across files; null before the first and after a
  /// faulty one, whose lines are passed over.
  RawSection* current = nullptr;
  IpsecKind kind = IpsecKind::setup;
  bool forgotten = false;

  std::size_t sections = 0;
  std::size_t entries = 0;

  std::vector<Stray> unknown;
  std::optional<Stray> foreign;  ///< the first of libreswan's words
};

void read_file(Session& session, const std::string& path, const Place& from);

/// One file, line by line.
class FileParser : LineCursor {
 public:
  FileParser(Session& session, std::string_view text, const std::string& path)
      : LineCursor(text, path), session_(session) {}

  void lines();

 private:
  /// Nothing more but blanks and a comment.
  [[nodiscard]] bool done() {
    skip_blanks();
    return line_end() || text_[at_] == '#';
  }
  void stop(const Place& place, std::string text);
  bool count_entry(const Place& place);

  [[nodiscard]] std::string word(std::string_view also_ends_at = {});
  void line();
  void statement();
  void unindented(const Place& place, const std::string& first);
  void open_section(IpsecKind kind);
  [[nodiscard]] bool fits_name(const std::string& name, const Place& place);
  RawSection* section_of(IpsecKind kind, const std::string& name, const Place& place);
  void version();
  void parameter();
  void set(Key key);
  void store(Key key);
  void include();
  [[nodiscard]] bool value(Key& key);
  [[nodiscard]] bool is_key_id(std::size_t start) const;
  [[nodiscard]] bool words(Key& key);
  [[nodiscard]] bool quoted(Key& key);
  [[nodiscard]] bool escaped(std::string& out);

  Session& session_;
};

void FileParser::stop(const Place& place, std::string text) {
  if (!session_.files.stopped()) session_.diags.error(place, std::move(text));
  session_.files.stop();
}

bool FileParser::count_entry(const Place& place) {
  if (++session_.entries <= kIpsecEntriesMax) return true;
  stop(place, fmt::format("more than {} sections and parameters", kIpsecEntriesMax));
  return false;
}

void FileParser::lines() {
  while (at_ < text_.size() && !session_.files.stopped()) {
    if (line_octets() > kIpsecLineOctetsMax) {
      session_.diags.error(here(), fmt::format("line longer than {} octets", kIpsecLineOctetsMax));
    } else {
      line();
    }
    next_line();
  }
}

void FileParser::line() {
  const bool indented = blank(text_[at_]);
  if (done()) return;
  if (indented) {
    parameter();
  } else {
    statement();
  }
}

/// Up to a blank, a comment or the end of the line.
std::string FileParser::word(std::string_view also_ends_at) {
  const std::size_t start = at_;
  while (!line_end() && !blank(text_[at_]) && text_[at_] != '#' &&
         also_ends_at.find(text_[at_]) == std::string_view::npos) {
    ++at_;
  }
  return std::string{text_.substr(start, at_ - start)};
}

void FileParser::statement() {
  const Place place = here();
  const std::string first = word("=");
  if (first == "conn") return open_section(IpsecKind::conn);
  if (first == "ca") return open_section(IpsecKind::ca);
  if (first == "config") return open_section(IpsecKind::setup);
  if (first == "include") return include();
  if (first == "version") return version();
  unindented(place, first);
}

void FileParser::unindented(const Place& place, const std::string& first) {
  skip_blanks();
  if (!line_end() && text_[at_] == '=') {
    session_.diags.error(place, fmt::format("'{}' must be indented: parameters stand behind a "
                                            "space or a tab below their section",
                                            first));
    return;
  }
  static constexpr std::string_view kKnown[] = {"conn", "ca", "config", "include", "version"};
  session_.diags.error(place, fmt::format("expected 'config setup', 'conn NAME', 'ca NAME' or "
                                          "'include FILE', found '{}'{}",
                                          first, model::did_you_mean(first, kKnown)));
  session_.current = nullptr;
  session_.forgotten = true;
}

void FileParser::version() {
  skip_blanks();
  const Place place = here();
  const std::string number = word();
  if (number == "2" || number == "2.0") return;
  session_.diags.warning(place, "only version 2 of ipsec.conf is known; remove the line");
}

void FileParser::open_section(IpsecKind kind) {
  session_.current = nullptr;
  session_.forgotten = true;
  skip_blanks();
  const Place place = here();
  const std::string name = word();
  if (kind == IpsecKind::setup && name != "setup") {
    return session_.diags.error(place, "expected 'config setup'");
  }
  if (!fits_name(name, place)) return;
  if (!done()) {
    session_.diags.error(here(), fmt::format("unexpected text behind '{}'", name));
    return;
  }
  session_.current = section_of(kind, name, place);
  session_.kind = kind;
  session_.forgotten = session_.current == nullptr;
}

/// swanctl.conf's sections carry the same names.
bool FileParser::fits_name(const std::string& name, const Place& place) {
  if (name.empty()) {
    session_.diags.error(place, "a section needs a name");
  } else if (name.size() > kNameOctetsMax) {
    session_.diags.error(place, fmt::format("name longer than {} octets", kNameOctetsMax));
  } else if (const std::size_t bad = name.find_first_of("{}=\",");
             bad != std::string::npos || std::ranges::any_of(name, control)) {
    session_.diags.error(place, "a name cannot hold any of {}=\", or control characters");
  } else {
    return true;
  }
  return false;
}

RawSection* FileParser::section_of(IpsecKind kind, const std::string& name, const Place& place) {
  if (!count_entry(place)) return nullptr;
  RawSection* known = nullptr;
  RawGroup& group = kind == IpsecKind::conn ? session_.conns : session_.cas;
  if (kind == IpsecKind::setup) {
    known = &session_.setup;
    if (known->section.name.empty()) {
      known->section.name = name;
      known->section.place = place;
      return known;
    }
  } else if (const auto at = group.index.find(name); at != group.index.end()) {
    known = &group.sections[at->second];
  }
  if (known != nullptr) {
    if (known->section.place.file == place.file && name != kDefaultSection) {
      session_.diags.warning(place, fmt::format("section '{}' continues the one in line {}", name,
                                                known->section.place.line));
    }
    return known;
  }
  if (++session_.sections > kIpsecSectionsMax) {
    stop(place, fmt::format("more than {} sections", kIpsecSectionsMax));
    return nullptr;
  }
  group.index.emplace(name, group.sections.size());
  group.sections.push_back(
      {.section = {.name = name, .place = place, .keys = {}, .sections = {}}, .also = {}});
  return &group.sections.back();
}

// --- parameters ----------------------------------------------------------------------------------

void FileParser::parameter() {
  Key key{.name = {}, .value = {}, .items = {}, .place = here(), .value_place = {}};
  key.name = word("=\"");
  const bool assigned = (skip_blanks(), !line_end() && text_[at_] == '=');
  if (key.name == "include" && !assigned) return include();
  if (session_.current == nullptr) {
    if (!session_.forgotten) session_.diags.error(key.place, "a parameter before any section");
    session_.forgotten = true;
    return;
  }
  if (key.name.empty() || key.name.size() > kNameOctetsMax ||
      std::ranges::any_of(key.name, control)) {
    return session_.diags.error(key.place, "expected a keyword");
  }
  if (!assigned) {
    const bool header = key.name == "conn" || key.name == "ca" || key.name == "config";
    return session_.diags.error(
        here(), fmt::format("expected '=' behind '{}'{}", key.name,
                            header ? "; the line of a section must not be indented" : ""));
  }
  ++at_;  // '='
  if (value(key)) set(std::move(key));
}

void FileParser::set(Key key) {
  if (!count_entry(key.place)) return;
  if (key.name == "also") {
    if (key.value.empty()) return;
    if (session_.current->also.size() >= kAlsoMax) {
      return session_.diags.error(key.place, fmt::format("more than {} 'also'", kAlsoMax));
    }
    session_.current->also.push_back(std::move(key));
    return;
  }
  Keyword keyword = find_keyword(session_.kind, key.name);
  const bool foreign =
      keyword.use == KeywordUse::libreswan ||
      (session_.kind == IpsecKind::conn && is_libreswan_value(key.name, key.value));
  if (foreign && !session_.foreign) {
    session_.foreign = Stray{key.place, session_.kind, key.name};
  }
  if (keyword.use == KeywordUse::ignored) {
    session_.diags.warning(key.place,
                           fmt::format("'{}' has no effect: {}", key.name, keyword.text));
  } else if (keyword.use == KeywordUse::unknown) {
    // More would not be printed, and each costs a search for the nearest word.
    if (session_.unknown.size() >= kDiagnosticsMax) return;
    session_.unknown.push_back({key.place, session_.kind, key.name});
  } else if (keyword.use == KeywordUse::used) {
    if (keyword.name != key.name) key.written = std::exchange(key.name, std::move(keyword.name));
    store(std::move(key));
  }
}

void FileParser::store(Key key) {
  std::vector<Key>& keys = session_.current->section.keys;
  const auto twin = std::ranges::find(keys, key.name, &Key::name);
  if (twin == keys.end()) {
    keys.push_back(std::move(key));
    return;
  }
  if (twin->place.file == key.place.file) {
    session_.diags.warning(
        key.place, fmt::format("'{}' is set again, its value in line {} is lost; remove one",
                               key.shown(), twin->place.line));
  }
  *twin = std::move(key);
}

bool FileParser::value(Key& key) {
  skip_blanks();
  key.value_place = here();
  const bool good = !line_end() && text_[at_] == '"' ? quoted(key) : words(key);
  if (!good) return false;
  if (key.value.size() <= kValueOctetsMax) return true;
  session_.diags.error(key.value_place,
                       fmt::format("value longer than {} octets", kValueOctetsMax));
  return false;
}

/// "@#0a0b" is an identity, not an '@' and a comment: the one place where '#' needs no quotes.
bool FileParser::is_key_id(std::size_t start) const {
  return at_ > start && text_[at_ - 1] == '@' && (at_ - 1 == start || blank(text_[at_ - 2]));
}

bool FileParser::words(Key& key) {
  const std::size_t start = at_;
  for (; !line_end(); ++at_) {
    const char c = text_[at_];
    if (blank(c)) continue;
    if (c == '#' && !is_key_id(start)) break;
    if (c == '"') {
      session_.diags.error(here(), "quotes must enclose the whole value");
      return false;
    }
    if (control(c)) {
      session_.diags.error(here(), "control character in a value");
      return false;
    }
    if (!key.value.empty() && blank(text_[at_ - 1])) key.value += ' ';
    key.value += c;
  }
  if (!line_end() && at_ > start && !blank(text_[at_ - 1])) {
    session_.diags.warning(here(), "the value ends at this '#'; quote it if '#' belongs to it");
  }
  key.verbatim = !key.value.empty() && text_.substr(start).starts_with(key.value);
  return true;
}

/// One character behind a backslash; false where the file ends.
bool FileParser::escaped(std::string& out) {
  if (text_.substr(at_).starts_with("\r\n")) ++at_;
  if (at_ >= text_.size()) return false;
  const char c = text_[at_++];
  if (c == '\n') {  // joins the lines
    line_start_ = at_;
    ++line_;
    return true;
  }
  static constexpr std::string_view kLetters = "nrtbf";
  static constexpr std::string_view kMeaning = "\n\r\t\b\f";
  const std::size_t letter = kLetters.find(c);
  out += letter == std::string_view::npos ? c : kMeaning[letter];
  return true;
}

bool FileParser::quoted(Key& key) {
  const Place opened = here();
  ++at_;
  ++key.value_place.column;
  const std::size_t start = at_;
  bool closed = false;
  while (!line_end()) {
    const char c = text_[at_++];
    if (c == '"') {
      closed = true;
      break;
    }
    if (c != '\\') {
      key.value += c;
    } else if (!escaped(key.value)) {
      break;
    }
  }
  if (!closed) {
    session_.diags.error(opened, "quote is not closed; '\\' at its end continues a line");
    return false;
  }
  if (!done()) {
    session_.diags.error(here(), "quotes must enclose the whole value");
    return false;
  }
  key.verbatim = !key.value.empty() && text_.substr(start).starts_with(key.value);
  return true;
}

// --- files ---------------------------------------------------------------------------------------

void FileParser::include() {
  skip_blanks();
  Key name{.name = {}, .value = {}, .items = {}, .place = here(), .value_place = {}};
  if (!value(name)) return;
  if (name.value.empty()) return session_.diags.error(name.place, "include needs a file name");
  for (const std::string& path : session_.files.included(name.value, name.place)) {
    read_file(session_, path, name.place);
  }
}

void read_file(Session& session, const std::string& path, const Place& from) {
  const auto content = session.files.open(path, from);
  if (!content) return;
  std::string_view text = *content;
  if (take_text(text, path, session.diags)) FileParser{session, text, path}.lines();
  session.files.close();
}

void report_unknown(const Session& session) {
  if (session.foreign) {
    session.diags.error(session.foreign->place,
                        fmt::format("this is libreswan's ipsec.conf ('{}' is its word): there the "
                                    "same keywords mean other things. Write the connections in "
                                    "swanctl.conf, or as strongSwan's ipsec.conf has them",
                                    session.foreign->word));
    return;
  }
  for (const Stray& stray : session.unknown) {
    session.diags.error(stray.place, fmt::format("unknown keyword '{}'{}", stray.word,
                                                 keyword_hint(stray.kind, stray.word)));
  }
}

}  // namespace

IpsecConf parse_ipsec(const std::string& path, Files& files, Diagnostics& diags) {
  Session session{.diags = diags, .files = {files, diags}};
  read_file(session, path, {path, 0, 0});
  report_unknown(session);
  IpsecConf out;
  out.foreign = session.foreign.has_value();
  out.setup = std::move(session.setup.section);
  if (out.setup.name.empty()) out.setup.place = {path, 0, 0};
  if (session.files.stopped() || out.foreign) return out;
  if (!session.setup.also.empty()) {
    diags.error(session.setup.also.front().place, "'also' has no place in 'config setup'");
  }
  out.conns = inherit(session.conns, IpsecKind::conn, session.entries, diags);
  out.cas = inherit(session.cas, IpsecKind::ca, session.entries, diags);
  return out;
}

}  // namespace cygnet::config
