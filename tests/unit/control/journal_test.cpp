// The log: one line for each event, whatever peers call themselves, and no secrets.
#include "control/journal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <type_traits>

#include "base/secret.hpp"

namespace cygnet::control {
namespace {

// A line is made of text, and key material has none: neither fmt nor a field takes it.
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_constructible_v<std::string, const Secret&>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, ByteView>);
static_assert(std::is_same_v<decltype(LogField::value), std::string>);

/// What somebody may call himself who wants to write lines of his own.
const std::string kEvil = "a\nwarning: b\r\x1b[2J\x7f\xc2\x9b\xff\xe2\x80\xae";

ike::IkeStatus evil_status() {
  ike::IkeStatus out{.id = ike::SaId{7}, .connection = kEvil};
  out.remote = {IpAddress::v4(0xc0000201), 4500};
  out.remote_id = model::Identity{IdType::key_id, to_bytes(kEvil)};
  out.children.push_back(
      {.id = model::ChildId{3}, .name = kEvil, .local_ts = {{}}, .remote_ts = {{}}});
  return out;
}

/// One of each kind.
std::vector<ike::Event> all_kinds() {
  const ike::IkeStatus status = evil_status();
  const ike::SaId sa{7};
  const model::ChildId child{3};
  ike::FailureRecord record{.connection = kEvil, .remote_identity = kEvil, .phase = "IKE_AUTH"};
  record.reason = ike::Reason::psk_wrong;
  record.field = "secrets";
  record.ours = record.theirs = record.advice = kEvil;
  record.candidates = {{kEvil, kEvil, kEvil, kEvil}};
  return {
      ike::event::IkeUp{sa, kEvil, status},
      ike::event::IkeDown{sa, kEvil, kEvil, status},
      ike::event::IkeRekeyed{ike::SaId{6}, sa, kEvil, status, status},
      ike::event::IkeMoved{sa, kEvil, {}, {IpAddress::v4(1), 4500}, status},
      ike::event::VirtualIps{
          sa, kEvil, {IpAddress::v4(1)}, {IpAddress::v4(2)}, {kEvil}, {Prefix{}}},
      ike::event::VirtualIpsGone{sa, kEvil, {IpAddress::v4(1)}},
      ike::event::ChildUp{sa, child, kEvil, kEvil, status},
      ike::event::ChildDown{sa, child, kEvil, kEvil, kEvil, status},
      ike::event::ChildRekeyed{sa, model::ChildId{2}, child, kEvil, kEvil, status},
      ike::event::Failed{record},
      ike::event::CommandDone{.request = {}, .success = false, .error = kEvil},
      ike::event::WantUp{kEvil, kEvil, kEvil},
      ike::event::Unrouted{kEvil, kEvil},
      ike::event::WantRoute{kEvil, kEvil, kEvil},
      ike::event::WantReauth{sa, kEvil, IpAddress::v4(1)},
      ike::event::Quiet{},
      ike::event::Note{sa, kEvil, 1, kEvil},
      ike::event::Note{sa, kEvil, 2, kEvil},
  };
}

bool is_plain(std::string_view text) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  return std::ranges::all_of(text, plain);
}

TEST(Journal, EveryKindOfEvent_IsOneLineAtMost) {
  std::set<std::size_t> kinds;
  std::set<std::size_t> silent;
  for (const ike::Event& event : all_kinds()) {
    kinds.insert(event.index());
    const auto line = line_of(event);
    if (!line) {
      silent.insert(event.index());
      continue;
    }
    EXPECT_TRUE(is_plain(line->text())) << line->text();
    EXPECT_FALSE(line->event.empty()) << line->text();
    EXPECT_NE(line->level, model::LogLevel::none);
    for (const std::string& field : journal_fields(*line, "cygnetd")) {
      EXPECT_TRUE(is_plain(field)) << field;
    }
    EXPECT_TRUE(is_plain(log_message(*line).text("msg")));
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<ike::Event>) << "a kind of event is missing here";
  EXPECT_EQ(silent, (std::set<std::size_t>{ike::Event{ike::event::CommandDone{}}.index(),
                                           ike::Event{ike::event::Unrouted{}}.index(),
                                           ike::Event{ike::event::Quiet{}}.index()}));
}

TEST(Journal, Line_HasWhoAndWhatAsFields) {
  ike::IkeStatus status = evil_status();
  status.remote_id = model::Identity{IdType::fqdn, to_bytes("cl.example")};
  status.children.front().name = "net";
  const auto line =
      line_of(ike::event::ChildUp{ike::SaId{7}, model::ChildId{3}, "home", "net", status});
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->level, model::LogLevel::notice);
  EXPECT_EQ(line->group, model::LogGroup::chd);
  EXPECT_TRUE(line->text().starts_with("home[7]: child net[3] up; local_ts: ")) << line->text();
  const std::vector<std::string> fields = journal_fields(*line, "cygnetd");
  for (const char* wanted :
       {"PRIORITY=5", "SYSLOG_IDENTIFIER=cygnetd", "CYGNET_GROUP=chd", "CYGNET_EVENT=child-up",
        "CYGNET_CONNECTION=home", "CYGNET_IKE_ID=7", "CYGNET_CHILD=net", "CYGNET_CHILD_ID=3",
        "CYGNET_PEER=192.0.2.1[4500]", "CYGNET_PEER_ID=cl.example"}) {
    EXPECT_TRUE(std::ranges::find(fields, wanted) != fields.end())
        << wanted << " in " << fmt::format("{}", fmt::join(fields, "\n"));
  }
}

TEST(Journal, Failure_HasItsReasonAndField) {
  ike::FailureRecord record{.connection = "rw", .remote_identity = "cl.example"};
  record.remote = {IpAddress::v4(0xc0000202), 500};
  record.reason = ike::Reason::psk_wrong;
  record.field = "secrets";
  const auto line = line_of(ike::event::Failed{record});
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->level, model::LogLevel::warning);
  EXPECT_EQ(line->value("reason"), "psk_wrong");
  EXPECT_EQ(line->value("field"), "secrets");
  EXPECT_EQ(line->value("peer"), "192.0.2.2[500]");
  EXPECT_EQ(line->value("peer_id"), "cl.example");
  EXPECT_EQ(line->text(), record.line());
}

// vici's clients hear the same line, with strongSwan's names and numbers.
TEST(Journal, ViciHearsTheSame) {
  const auto line = line_of(ike::event::Note{ike::SaId{7}, "home", 2, "send IKE_AUTH"});
  ASSERT_TRUE(line.has_value());
  const vici::Message told = log_message(*line, 1);
  EXPECT_EQ(told.text("group"), "ENC");
  EXPECT_EQ(told.text("level"), "2");
  EXPECT_EQ(told.text("ikesa-name"), "home");
  EXPECT_EQ(told.text("ikesa-uniqueid"), "7");
  EXPECT_EQ(told.text("msg"), "home[7]: send IKE_AUTH");
}

// Whoever searches a log for an event or a field finds it in the documentation.
TEST(Journal, EventsAndFields_AreDocumented) {
  std::ifstream file{CYGNET_SOURCE_DIR "/docs/logging.md"};
  std::ostringstream text;
  text << file.rdbuf();
  const std::string docs = text.str();
  for (const ike::Event& event : all_kinds()) {
    const auto line = line_of(event);
    if (!line) continue;
    EXPECT_NE(docs.find(fmt::format("`{}`", line->event)), std::string::npos) << line->event;
    for (const LogField& field : line->fields) {
      EXPECT_NE(docs.find(fmt::format("`{}`", field.name)), std::string::npos) << field.name;
    }
  }
}

TEST(Escaped, LeavesTextAlone) {
  EXPECT_EQ(escaped("C=CH, O=Zürich 東京 🙂, CN=a"), "C=CH, O=Zürich 東京 🙂, CN=a");
  EXPECT_EQ(escaped(""), "");
}

TEST(Escaped, MakesControlsAndWhatIsNoTextVisible) {
  EXPECT_EQ(escaped("a\nb\r\t\x1b\x7f"), "a\\x0ab\\x0d\\x09\\x1b\\x7f");
  EXPECT_EQ(escaped(std::string_view{"\0", 1}), "\\x00");
  EXPECT_EQ(escaped("\xc2\x9b"), "\\xc2\\x9b") << "a control of C1";
  EXPECT_EQ(escaped("\xc0\x8a"), "\\xc0\\x8a") << "a line feed in two octets";
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(escaped("\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "a line separator";
  EXPECT_EQ(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "turns the direction of writing";
  EXPECT_EQ(escaped("\xe6\x9d"), "\\xe6\\x9d") << "cut off";
}

TEST(Escaped, EndsAtItsLimit) {
  EXPECT_EQ(escaped(std::string(kLogTextMax, 'a')).size(), kLogTextMax);
  const std::string cut = escaped(std::string(kLogTextMax + 5, 'a'));
  EXPECT_TRUE(cut.ends_with("a... (5 octets more)")) << cut.substr(kLogTextMax - 3);
}

TEST(LogLevels, AreStrongSwansNumbers) {
  using model::LogLevel;
  EXPECT_EQ(model::log_level_of_charon(-1), LogLevel::none);
  EXPECT_EQ(model::log_level_of_charon(0), LogLevel::notice);
  EXPECT_EQ(model::log_level_of_charon(1), LogLevel::info);
  EXPECT_EQ(model::log_level_of_charon(2), LogLevel::debug);
  EXPECT_EQ(model::log_level_of_charon(3), LogLevel::trace);
  EXPECT_EQ(model::log_level_of_charon(4), LogLevel::trace);
  EXPECT_EQ(model::log_level_of_charon(5), std::nullopt);
  EXPECT_EQ(model::log_level_of_charon(-2), std::nullopt);
}

TEST(LogLevels, GroupsDiffer) {
  using model::LogGroup;
  using model::LogLevel;
  const model::LogLevels levels{.all = LogLevel::warning, .of = {{LogGroup::ike, LogLevel::debug}}};
  EXPECT_TRUE(levels.wants(LogGroup::ike, LogLevel::debug));
  EXPECT_FALSE(levels.wants(LogGroup::ike, LogLevel::trace));
  EXPECT_TRUE(levels.wants(LogGroup::cfg, LogLevel::error));
  EXPECT_FALSE(levels.wants(LogGroup::cfg, LogLevel::info));
  EXPECT_FALSE(model::LogLevels{.all = LogLevel::none}.wants(LogGroup::cfg, LogLevel::error));
}

}  // namespace
}  // namespace cygnet::control
