#include "config/ipsec_secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"
#include "model/suggest.hpp"

namespace cygnet::config {
namespace {

enum class SecretShape : std::uint8_t {
  shared,     ///< selectors : TYPE secret
  key_file,   ///< : TYPE file [passphrase]
  smartcard,  ///< : PIN %smartcard... pin
};
struct SecretType {
  std::string_view word;
  SecretShape shape;
  std::string_view section;  ///< swanctl.conf's
};
constexpr SecretType kTypes[] = {
    {"PSK", SecretShape::shared, "ike"},       {"RSA", SecretShape::key_file, "rsa"},
    {"ECDSA", SecretShape::key_file, "ecdsa"}, {"PKCS8", SecretShape::key_file, "pkcs8"},
    {"P12", SecretShape::key_file, "pkcs12"},  {"EAP", SecretShape::shared, "eap"},
    {"NTLM", SecretShape::shared, "ntlm"},     {"XAUTH", SecretShape::shared, "xauth"},
    {"PIN", SecretShape::smartcard, "token"}};

/// A word of an entry; it may be a secret, so only its place goes into diagnostics.
struct Word {
  std::string_view text;  ///< borrowed from the file
  Place place;            ///< of the text itself, behind an opening quote
  bool quoted = false;

  [[nodiscard]] bool is(std::string_view plain) const { return !quoted && text == plain; }
};

struct Session {
  const std::string& private_folder;
  Diagnostics& diags;
  FileStack files;
  std::vector<ConversionNote>& notes;
  Section out;
  std::map<std::string_view, unsigned> numbers;  ///< of sections, by their type
};

void read_file(Session& session, const std::string& path, const Place& from);

/// Makes sections of swanctl.conf from entries.
class EntryReader {
 public:
  EntryReader(Session& session, std::span<const Word> words) : session_(session), words_(words) {}

  void read();

 private:
  void shared();
  void key_file();
  void smartcard();
  /// The section that the entry becomes; null above the limit.
  Section* open();
  void add_selectors(Section& to);
  /// The secret in swanctl's notation, if it is one.
  bool add_secret(Section& to, std::string_view name, const Word& word);
  bool no_more_than(std::size_t count);
  void error(const Place& place, std::string text) { session_.diags.error(place, std::move(text)); }

  Session& session_;
  std::span<const Word> words_;
  std::span<const Word> selectors_;
  std::span<const Word> values_;
  const SecretType* type_ = nullptr;
};

void EntryReader::read() {
  const Place& place = words_.front().place;
  const auto colon = std::ranges::find_if(words_, [](const Word& word) { return word.is(":"); });
  if (colon == words_.end()) {
    return error(place, "expected 'selectors : TYPE secret', with blanks around the ':'");
  }
  const auto at = static_cast<std::size_t>(colon - words_.begin());
  selectors_ = words_.first(at);
  // Left out it would stand for everybody.
  const auto empty = std::ranges::find(selectors_, std::string_view{}, &Word::text);
  if (empty != selectors_.end()) return error(empty->place, "the selector is empty");
  if (at + 1 == words_.size()) return error(colon->place, "the type of the secret is missing");
  const Word& word = words_[at + 1];
  values_ = words_.subspan(at + 2);
  const auto* type = std::ranges::find_if(
      kTypes, [&word](const SecretType& known) { return word.is(known.word); });
  if (type == std::end(kTypes)) {
    std::vector<std::string_view> known;
    for (const SecretType& one : kTypes) known.push_back(one.word);
    return error(word.place,
                 fmt::format("unknown type of secret{} (known are {})",
                             model::did_you_mean(word.text, known), fmt::join(known, ", ")));
  }
  type_ = type;
  if (values_.empty()) {
    return error(word.place, fmt::format("{} needs a {}", type->word,
                                         type->shape == SecretShape::shared     ? "secret"
                                         : type->shape == SecretShape::key_file ? "file name"
                                                                                : "smartcard"));
  }
  if (type->shape == SecretShape::shared) return shared();
  if (type->shape == SecretShape::key_file) return key_file();
  smartcard();
}

Section* EntryReader::open() {
  if (session_.out.sections.size() >= kIpsecSecretsMax) {
    if (!session_.files.stopped()) {
      error(words_.front().place, fmt::format("more than {} entries", kIpsecSecretsMax));
    }
    session_.files.stop();
    return nullptr;
  }
  const unsigned number = ++session_.numbers[type_->section];
  session_.out.sections.push_back({.name = fmt::format("{}-{}", type_->section, number),
                                   .place = words_.front().place,
                                   .keys = {},
                                   .sections = {}});
  return &session_.out.sections.back();
}

bool EntryReader::no_more_than(std::size_t count) {
  if (values_.size() <= count) return true;
  error(values_[count].place, "unexpected text at the end; quote a secret that has blanks");
  return false;
}

void EntryReader::add_selectors(Section& to) {
  std::size_t number = 0;
  for (const Word& word : selectors_) {
    const bool any = word.is("%any") || word.is("%any6") || word.is("0::0");
    to.keys.push_back({.name = fmt::format("id-{}", ++number),
                       .value = any ? "%any" : std::string{word.text},
                       .items = {},
                       .place = word.place,
                       .value_place = word.place,
                       .verbatim = !any,
                       .written = "selector"});
  }
}

bool EntryReader::add_secret(Section& to, std::string_view name, const Word& word) {
  if (word.text.empty()) {
    error(word.place, "the secret is empty");
    return false;
  }
  // A quoted text is meant as it stands; swanctl would decode one that starts so.
  const bool misleading =
      word.quoted && (word.text.starts_with("0x") || word.text.starts_with("0s"));
  to.keys.push_back(
      {.name = std::string{name},
       .value = misleading ? "0x" + to_hex(as_bytes(word.text)) : std::string{word.text},
       .items = {},
       .place = word.place,
       .value_place = word.place});
  return true;
}

void EntryReader::shared() {
  if (values_.front().is("%prompt")) {
    return error(values_.front().place, "nobody can be asked for this secret; write it here");
  }
  if (!no_more_than(1)) return;
  Section* section = open();
  if (section == nullptr) return;
  section->keys.reserve(selectors_.size() + 1);  // a secret that moves leaves copies behind
  add_selectors(*section);
  if (!add_secret(*section, "secret", values_.front())) session_.out.sections.pop_back();
}

void EntryReader::key_file() {
  const Word& file = values_.front();
  if (file.is("{")) {
    return error(file.place,
                 "a key written out in ipsec.secrets is not supported; put it into a "
                 "file and name that");
  }
  if (file.text.empty()) return error(file.place, "the file name is empty");
  if (!no_more_than(2)) return;
  Section* section = open();
  if (section == nullptr) return;
  section->keys.reserve(2);
  const bool absolute = file.text.starts_with('/');
  section->keys.push_back({.name = "file",
                           .value = absolute
                                        ? std::string{file.text}
                                        : session_.private_folder + "/" + std::string{file.text},
                           .items = {},
                           .place = file.place,
                           .value_place = file.place,
                           .verbatim = absolute,
                           .written = std::string{type_->word}});
  if (values_.size() < 2) return;
  if (values_[1].is("%prompt")) {
    session_.notes.push_back({values_[1].place, NoteSeverity::warning,
                              "%prompt asked for the passphrase; nobody is asked now: write it "
                              "here, or store the key without one"});
  } else {
    static_cast<void>(add_secret(*section, "secret", values_[1]));
  }
}

/// "%smartcard[slot[@module]]:keyid".
void EntryReader::smartcard() {
  constexpr std::string_view kPrefix = "%smartcard";
  const Word& card = values_.front();
  const std::size_t colon = card.text.find(':');
  if (card.quoted || !card.text.starts_with(kPrefix) || colon == std::string_view::npos) {
    return error(card.place, "expected %smartcard:KEYID");
  }
  if (!no_more_than(2)) return;
  Section* section = open();
  if (section == nullptr) return;
  const std::string_view slot = card.text.substr(kPrefix.size(), colon - kPrefix.size());
  const std::size_t sign = slot.find('@');
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    section->keys.push_back({.name = std::string{name},
                             .value = std::string{value},
                             .items = {},
                             .place = card.place,
                             .value_place = card.place});
  };
  section->keys.reserve(4);
  add("handle", card.text.substr(colon + 1));
  add("slot", slot.substr(0, sign));
  if (sign != std::string_view::npos) add("module", slot.substr(sign + 1));
  if (values_.size() < 2 || values_[1].is("%prompt")) return;
  static_cast<void>(add_secret(*section, "pin", values_[1]));
}

/// One file, line by line: gathers the words of an entry, then hands them on.
class FileReader : LineCursor {
 public:
  FileReader(Session& session, std::string_view text, const std::string& path)
      : LineCursor(text, path), session_(session) {}

  void read();

 private:
  void line();
  /// The words of a line; nothing when one of them has no end or is too long.
  [[nodiscard]] std::optional<std::vector<Word>> words();
  void finish();
  void include(std::span<const Word> words);

  Session& session_;
  std::vector<Word> entry_;
  bool faulty_ = false;  ///< the entry has been reported: the rest of it is passed over
};

void FileReader::read() {
  while (at_ < text_.size() && !session_.files.stopped()) {
    if (line_octets() > kIpsecLineOctetsMax) {
      session_.diags.error(here(), fmt::format("line longer than {} octets", kIpsecLineOctetsMax));
      faulty_ = true;
    } else {
      line();
    }
    next_line();
  }
  finish();
}

void FileReader::line() {
  const bool indented = blank(text_[at_]);
  skip_blanks();
  if (line_end() || text_[at_] == '#') return;
  const auto colon = [](const Word& word) { return word.is(":"); };
  if (!indented) finish();
  const auto found = words();
  if (!found) {
    faulty_ = true;
    return;
  }
  // Some indent each entry: one that is complete does not go on with another ':'.
  if (std::ranges::any_of(*found, colon) && std::ranges::any_of(entry_, colon)) finish();
  if (entry_.empty() && found->front().is("include") && !std::ranges::any_of(*found, colon)) {
    return include(*found);
  }
  if (entry_.size() + found->size() > kSecretWordsMax) {
    if (!faulty_) {
      session_.diags.error(found->front().place,
                           fmt::format("more than {} words in an entry", kSecretWordsMax));
    }
    faulty_ = true;
    return;
  }
  entry_.insert(entry_.end(), found->begin(), found->end());
}

std::optional<std::vector<Word>> FileReader::words() {
  std::vector<Word> out;
  for (skip_blanks(); !line_end() && text_[at_] != '#'; skip_blanks()) {
    const char quote = text_[at_];
    if (quote != '"' && quote != '\'') {
      const std::size_t start = at_;
      const Place place = here();
      while (!line_end() && !blank(text_[at_])) ++at_;
      out.push_back({text_.substr(start, at_ - start), place, false});
      continue;
    }
    const Place opened = here();
    const std::size_t start = ++at_;
    const Place place = here();
    while (!line_end() && text_[at_] != quote) ++at_;
    if (line_end()) {
      session_.diags.error(opened, "quote is not closed");
      return std::nullopt;
    }
    out.push_back({text_.substr(start, at_ - start), place, true});
    ++at_;
  }
  const auto large = std::ranges::find_if(
      out, [](const Word& word) { return word.text.size() > kSecretWordOctetsMax; });
  if (large == out.end()) return out;
  session_.diags.error(large->place,
                       fmt::format("word longer than {} octets", kSecretWordOctetsMax));
  return std::nullopt;
}

void FileReader::finish() {
  if (!faulty_ && !entry_.empty()) EntryReader{session_, entry_}.read();
  entry_.clear();
  faulty_ = false;
}

void FileReader::include(std::span<const Word> words) {
  if (words.size() != 2 || words[1].text.empty()) {
    return session_.diags.error(words.front().place, "include needs one file name");
  }
  for (const std::string& path :
       session_.files.included(std::string{words[1].text}, words[1].place)) {
    read_file(session_, path, words[1].place);
  }
}

void read_file(Session& session, const std::string& path, const Place& from) {
  auto text = session.files.open(path, from);
  if (!text) return;
  std::string_view rest = *text;
  if (take_text(rest, path, session.diags)) FileReader{session, rest, path}.read();
  session.files.close();
  if (!text->empty()) explicit_bzero(text->data(), text->size());
}

}  // namespace

Section parse_ipsec_secrets(const std::string& path, const std::string& private_folder,
                            Files& files, Diagnostics& diags, std::vector<ConversionNote>& notes) {
  Session session{
      .private_folder = private_folder, .diags = diags, .files = {files, diags}, .notes = notes};
  session.out.name = "secrets";
  session.out.place = {path, 0, 0};
  read_file(session, path, session.out.place);
  return std::move(session.out);
}

}  // namespace cygnet::config
