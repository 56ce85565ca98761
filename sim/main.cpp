// cygnet-sim: lives through histories and says which seed broke a rule.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "sim/world.hpp"

namespace {

using namespace cygnet;

struct Line {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::uint64_t one = 0;
  unsigned minutes_max = 360;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string broken = "none";
  std::uint64_t handshakes = 0;
  double seconds_max = 0;  ///< 0: it may take as long as it likes
  double speed_min = 0;
  bool keep_going = false;
};

/// Of the transcript of a seed that failed, a sweep prints so many lines.
constexpr std::size_t kTailLines = 60;

sim::Options options_of(const Line& line, std::uint64_t seed) {
  return {.seed = seed,
          .time_max = std::chrono::minutes{line.minutes_max},
          .broken = *sim::find_rule(line.broken)};
}

std::string replay_command(const Line& line, std::uint64_t seed) {
  std::string out = fmt::format("scripts/sim --seed {} --minutes {}", seed, line.minutes_max);
  if (line.broken != "none") out += " --break " + line.broken;
  return out;
}

int replay(const Line& line) {
  sim::Options options = options_of(line, line.one);
  options.transcript = [](std::string_view text) { fmt::print("{}\n", text); };
  const sim::Report report = sim::simulate(options);
  fmt::print("seed {}: {} nodes, {} datagrams, {} rekeys, {}\n", line.one, report.nodes,
             report.datagrams, report.rekeys,
             report.fault.empty() ? "everything held" : report.fault);
  return report.fault.empty() ? 0 : 1;
}

/// Lives through it again, for what happened before it failed.
void print_tail(const Line& line, std::uint64_t seed) {
  std::deque<std::string> tail;
  sim::Options options = options_of(line, seed);
  options.transcript = [&tail](std::string_view text) {
    tail.emplace_back(text);
    if (tail.size() > kTailLines) tail.pop_front();
  };
  static_cast<void>(sim::simulate(options));
  for (const std::string& text : tail) fmt::print("{}\n", text);
}

/// The promise of README: at 10 % loss always, at 30 % in 999 of 1000 cases, within a minute.
int handshakes(const Line& line) {
  bool kept = true;
  for (const auto& [loss, per_thousand] : {std::pair{100U, 1000U}, std::pair{300U, 999U}}) {
    const sim::LossyHandshakes result =
        sim::lossy_handshakes(loss, line.handshakes, std::chrono::seconds{60});
    fmt::print(
        "{} % loss each way: {} of {} handshakes within 60 s, slowest {:.1f} s, at most {} "
        "transmissions of one exchange\n",
        loss / 10, result.succeeded, line.handshakes,
        std::chrono::duration<double>(result.slowest).count(), result.transmissions_max);
    kept = kept && result.succeeded * 1000 >= line.handshakes * per_thousand &&
           result.transmissions_max <= 12;
  }
  return kept ? 0 : 1;
}

/// What many histories came to.
struct Total {
  std::uint64_t done = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t rekeys = 0;
  std::uint64_t fragments = 0;
  Duration virtual_time{0};
  std::map<std::uint64_t, std::string> bad;  ///< seeds that failed, and how

  void add(std::uint64_t seed, const sim::Report& report) {
    ++done;
    datagrams += report.datagrams;
    rekeys += report.rekeys;
    fragments += report.fragments;
    virtual_time += report.virtual_time;
    if (!report.fault.empty()) bad.emplace(seed, report.fault);
  }
};

Total live_through(const Line& line) {
  std::atomic<std::uint64_t> next{line.first};
  std::atomic<bool> stop{false};
  std::mutex lock;
  Total total;
  const auto work = [&] {
    while (!stop) {
      const std::uint64_t seed = next++;
      if (seed >= line.first + line.seeds) return;
      const sim::Report report = sim::simulate(options_of(line, seed));
      const std::scoped_lock hold{lock};
      total.add(seed, report);
      if (!total.bad.empty() && !line.keep_going) stop = true;
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < line.jobs; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return total;
}

int sweep(const Line& line) {
  const auto started = std::chrono::steady_clock::now();
  const std::clock_t used = std::clock();
  const Total total = live_through(line);
  const double real =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  // Others may use the processors too; what counts is what we need of them.
  const double busy =
      static_cast<double>(std::clock() - used) / static_cast<double>(CLOCKS_PER_SEC) / line.jobs;
  const double lived = std::chrono::duration<double>(total.virtual_time).count();
  fmt::print(
      "{} seeds in {:.1f} s ({:.1f} s of each processor): {:.1f} seeds/s, {:.0f} virtual hours, "
      "virtual:real {:.0f}:1, {} datagrams ({} IKE fragments), {} rekeys\n",
      total.done, real, busy, static_cast<double>(total.done) / real, lived / 3600, lived / real,
      total.datagrams, total.fragments, total.rekeys);
  if (!total.bad.empty()) {
    if (!line.keep_going) print_tail(line, total.bad.begin()->first);
    for (const auto& [seed, fault] : total.bad) {
      fmt::print("seed {}: {}\nreplay it with: {}\n", seed, fault, replay_command(line, seed));
    }
    return 1;
  }
  const bool late = line.seconds_max > 0 && busy > line.seconds_max;
  const bool slow = busy > 0 && lived / busy < line.speed_min;
  if (late) fmt::print("too slow: at most {} s were allowed\n", line.seconds_max);
  if (slow) fmt::print("too slow: virtual:real must be {}:1 at least\n", line.speed_min);
  return late || slow ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Line line;
  CLI::App app{"Simulates gateways and clients on bad networks, and checks what must always hold."};
  app.add_option("--seeds", line.seeds, "How many histories")->capture_default_str();
  app.add_option("--first", line.first, "The first seed")->capture_default_str();
  app.add_option("--seed", line.one, "Replay this one and print its transcript");
  app.add_option("--minutes", line.minutes_max, "The longest history, in virtual minutes")
      ->check(CLI::Range(10, 10'000))
      ->capture_default_str();
  app.add_option("--jobs", line.jobs, "Threads")->check(CLI::Range(1, 256));
  app.add_option("--break", line.broken,
                 fmt::format("Break a rule: {}", fmt::join(sim::rule_names().subspan(1), ", ")))
      ->check([](const std::string& name) {
        return sim::find_rule(name) ? std::string{} : "no such rule";
      });
  app.add_option("--handshakes", line.handshakes,
                 "Try so many handshakes through networks that lose 10 % and 30 %");
  app.add_flag("--keep-going", line.keep_going, "Do not stop at the first seed that fails");
  app.add_option("--at-most", line.seconds_max,
                 "Fail when it takes more seconds, of each thread's processor");
  app.add_option("--speed", line.speed_min,
                 "Fail when less virtual time passes in a second of each thread's processor");
  CLI11_PARSE(app, argc, argv);
  if (line.handshakes != 0) return handshakes(line);
  return line.one != 0 ? replay(line) : sweep(line);
}
