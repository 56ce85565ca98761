#include "base/check.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace cygnet {
namespace {
std::atomic<bool> bugs_fatal{false};
std::atomic<unsigned long> bugs{0};
}  // namespace

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

bool report_bug(const char* condition, const char* file, int line) {
  if (bugs_fatal) check_failed(condition, file, line);
  ++bugs;
  std::fprintf(stderr, "%s:%d: bug survived: %s\n", file, line, condition);
  return true;
}

void set_bugs_fatal(bool fatal) { bugs_fatal = fatal; }
unsigned long bug_count() { return bugs; }

}  // namespace cygnet
