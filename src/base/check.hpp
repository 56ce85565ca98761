// Assertions about ourselves. Nothing a peer sends may reach CYG_CHECK (docs/architecture.md).
#pragma once

namespace cygnet {

/// Prints where and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

/// Counts a bug that was survived; aborts instead when `set_bugs_fatal(true)` was called.
/// Always returns true, so that CYG_BUG(cond) can be a condition.
bool report_bug(const char* condition, const char* file, int line);
/// Tests, simulation and fuzzing make every CYG_BUG abort.
void set_bugs_fatal(bool fatal);
/// How many bugs were survived since the start.
[[nodiscard]] unsigned long bug_count();

}  // namespace cygnet

/// A control-flow invariant that no input byte can break; always on.
#define CYG_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::cygnet::check_failed(#condition, __FILE__, __LINE__))

/// The same in packet loops: only in debug builds.
#ifdef NDEBUG
#define CYG_DCHECK(condition) static_cast<void>(0)
#else
#define CYG_DCHECK(condition) CYG_CHECK(condition)
#endif

/// `if (CYG_BUG(cond)) return close_with_bug(...)`: cond is a bug of ours whose reachability
/// is uncertain. Fatal under test, counted in production.
#define CYG_BUG(condition) ((condition) && ::cygnet::report_bug(#condition, __FILE__, __LINE__))
