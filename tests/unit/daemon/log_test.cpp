// Where lines go. The journal and syslog are tested live (tests/interop/test_service.py).
#include "daemon/log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "daemon/log_targets.hpp"

namespace cygnet::daemon {
namespace {

using model::LogGroup;
using model::LogLevel;

class LogTest : public testing::Test {
 protected:
  LogTest() : folder_(testing::TempDir() + "cygnet-log-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~LogTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string text(const std::string& name) const {
    std::ifstream file{path(name)};
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }
  LogTarget file(const std::string& name, LogLevel level = LogLevel::info) const {
    return {.kind = LogTarget::Kind::file, .name = path(name), .levels = {.all = level, .of = {}}};
  }
  static std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }

  std::string folder_;
  Log log_;
};

TEST_F(LogTest, Line_HasTimeAndLevel) {
  ASSERT_TRUE(log_.configure({file("a")}, "cygnetd").has_value());
  log_.warning(LogGroup::cfg, "a\nb");
  EXPECT_TRUE(std::regex_match(
      text("a"), std::regex{R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} warning: a\\x0ab\n)"}))
      << text("a");
}

TEST_F(LogTest, EachPlace_HasItsLevels) {
  LogTarget quiet = file("quiet", LogLevel::error);
  quiet.levels.of[LogGroup::ike] = LogLevel::debug;
  ASSERT_TRUE(log_.configure({file("all", LogLevel::trace), quiet}, "cygnetd").has_value());
  log_.trace(LogGroup::net, "datagram");
  log_.info(LogGroup::ike, "IKE_SA");
  log_.info(LogGroup::chd, "child");
  EXPECT_EQ(lines(text("all")), 3U);
  EXPECT_EQ(lines(text("quiet")), 1U);
  EXPECT_NE(text("quiet").find("IKE_SA"), std::string::npos);
  EXPECT_TRUE(log_.wants(LogGroup::enc, LogLevel::debug));
}

TEST_F(LogTest, Reopened_GoesToTheNewFile) {
  ASSERT_TRUE(log_.configure({file("a")}, "cygnetd").has_value());
  log_.info(LogGroup::dmn, "before");
  std::filesystem::rename(path("a"), path("a.1"));
  log_.info(LogGroup::dmn, "between");
  log_.reopen();
  log_.info(LogGroup::dmn, "after");
  EXPECT_EQ(lines(text("a.1")), 2U);
  EXPECT_EQ(lines(text("a")), 1U);
  EXPECT_NE(text("a").find("after"), std::string::npos);
}

// `append = no` empties the file when it is opened first, and never again.
TEST_F(LogTest, Emptied_OnlyAtTheStart) {
  std::ofstream{path("a")} << "old\n";
  LogTarget target = file("a");
  target.append = false;
  ASSERT_TRUE(log_.configure({target}, "cygnetd").has_value());
  log_.info(LogGroup::dmn, "one");
  target.levels.all = LogLevel::debug;
  ASSERT_TRUE(log_.configure({target}, "cygnetd").has_value());
  log_.reopen();
  log_.info(LogGroup::dmn, "two");
  EXPECT_EQ(lines(text("a")), 2U) << text("a");
  EXPECT_EQ(text("a").find("old"), std::string::npos);
}

TEST_F(LogTest, PlaceThatMustBe_AndCannot_ChangesNothing) {
  ASSERT_TRUE(log_.configure({file("a")}, "cygnetd").has_value());
  const auto done = log_.configure({file("b"), file("no/folder")}, "cygnetd");
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().text().find("no/folder"), std::string::npos);
  log_.info(LogGroup::dmn, "still");
  EXPECT_EQ(lines(text("a")), 1U);
}

// What strongswan.conf wants besides is worth a warning, not the daemon.
TEST_F(LogTest, PlaceThatMayBe_AndCannot_IsWarnedOf) {
  LogTarget other = file("no/folder");
  other.must = false;
  ASSERT_TRUE(log_.configure({file("a"), other}, "cygnetd").has_value());
  EXPECT_NE(text("a").find("warning: open the log " + path("no/folder")), std::string::npos);
}

TEST_F(LogTest, FullDisk_IsToldOnce_WhenThereIsRoomAgain) {
  std::filesystem::create_symlink("/dev/full", path("a"));
  ASSERT_TRUE(log_.configure({file("a")}, "cygnetd").has_value());
  log_.info(LogGroup::dmn, "one");
  log_.info(LogGroup::dmn, "two");
  std::filesystem::remove(path("a"));
  log_.reopen();
  log_.info(LogGroup::dmn, "three");
  log_.info(LogGroup::dmn, "four");
  EXPECT_EQ(lines(text("a")), 3U);
  EXPECT_NE(text("a").find("warning: 2 lines of this log are lost\n"), std::string::npos);
}

// Whoever reads our stderr may stop: tunnels go on.
TEST_F(LogTest, StderrThatNobodyReads_HoldsNobodyUp) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  // Longer than what a pipe takes at once when it says that there is room, and no divisor of it.
  for (int i = 0; i < 1000; ++i) log_.info(LogGroup::dmn, std::string(5000, 'a'));
  std::string room(1 << 20, '\0');
  EXPECT_GT(::read(ends[0], room.data(), room.size()), 1000);
  log_.info(LogGroup::dmn, "back");
  const ssize_t size = ::read(ends[0], room.data(), room.size());
  ::dup2(before, STDERR_FILENO);
  for (const int fd : {before, ends[0], ends[1]}) ::close(fd);
  ASSERT_GT(size, 0);
  EXPECT_NE(room.substr(0, static_cast<std::size_t>(size)).find(" lines of this log are lost\n"),
            std::string::npos);
}

// A pipe without a reader must not hold the daemon up.
TEST_F(LogTest, PipeWithoutAReader_IsAnErrorAtOnce) {
  ASSERT_EQ(::mkfifo(path("a").c_str(), 0600), 0);
  EXPECT_FALSE(log_.configure({file("a")}, "cygnetd").has_value());
}

TEST_F(LogTest, FaultsOfAConfiguration_AreALineEach) {
  ASSERT_TRUE(log_.configure({file("a")}, "cygnetd").has_value());
  log_.errors(LogGroup::cfg, "load: \na:1:1: error: x\nb:2:2: error: y\n");
  EXPECT_EQ(lines(text("a")), 3U);
}

// --- which places --------------------------------------------------------------------------------

std::vector<LogTarget> targets(const LogOptions& options, const config::LogSettings& settings = {},
                               const std::optional<model::LogLevels>& charon_debug = {}) {
  const auto out = log_targets(options, settings, charon_debug);
  EXPECT_TRUE(out.has_value()) << out.error().text();
  return out.value_or(std::vector<LogTarget>{});
}

TEST(LogTargets, WithoutAWord_IsStderr) {
  const auto all = targets({});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, LogTarget::Kind::standard);
  EXPECT_EQ(all[0].levels.all, LogLevel::info);
}

TEST(LogTargets, OfTheCommandLine) {
  const auto all =
      targets({.places = {"stderr", "journal", "syslog", "./a.log"}, .level = LogLevel::debug});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].kind, LogTarget::Kind::stderr_text);
  EXPECT_EQ(all[1].kind, LogTarget::Kind::journal);
  EXPECT_EQ(all[2].kind, LogTarget::Kind::syslog);
  EXPECT_EQ(all[3].name, "./a.log");
  for (const LogTarget& one : all) EXPECT_EQ(one.levels.all, LogLevel::debug);
}

// It used to be the level: "--log debug" must not make a file of that name.
TEST(LogTargets, WordThatIsNoPlace_IsRefused) {
  const auto done = log_targets({.places = {"debug"}}, {}, std::nullopt);
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().text().find("--log-level"), std::string::npos);
}

TEST(LogTargets, OfStrongswanConf_ComeBesides) {
  config::LogSettings settings;
  settings.places = {{.kind = config::LogPlace::Kind::file, .name = "/l", .append = false},
                     {.kind = config::LogPlace::Kind::syslog, .name = "auth"}};
  const auto all = targets({.level = LogLevel::error}, settings);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].levels.all, LogLevel::error);
  EXPECT_EQ(all[1].name, "/l");
  EXPECT_FALSE(all[1].append);
  EXPECT_FALSE(all[1].must);
  EXPECT_EQ(all[1].levels.all, LogLevel::info) << "--log-level is for the other places";
  EXPECT_EQ(all[2].name, "auth");
}

TEST(LogTargets, LevelOfStderr_IsTheFirstThatIsSaid) {
  const model::LogLevels debug{.all = LogLevel::debug, .of = {}};
  config::LogSettings settings;
  EXPECT_EQ(targets({}, settings, debug)[0].levels, debug);
  settings.places = {{.name = "stderr", .levels = {.all = LogLevel::warning, .of = {}}}};
  EXPECT_EQ(targets({}, settings, debug).size(), 1U);
  EXPECT_EQ(targets({}, settings, debug)[0].levels.all, LogLevel::warning);
  settings.journal.emplace().all = LogLevel::notice;
  EXPECT_EQ(targets({}, settings, debug)[0].levels.all, LogLevel::notice);
  EXPECT_EQ(targets({.level = LogLevel::trace}, settings, debug)[0].levels.all, LogLevel::trace);
}

}  // namespace
}  // namespace cygnet::daemon
