// Errors of the world around us (files, kernel, configuration) as values.
#pragma once

#include <expected>
#include <string>

namespace cygnet {

/// Something outside went wrong: what we tried, what it answered, where.
struct Error {
  std::string operation;  ///< what was attempted, e.g. "open /dev/net/tun"
  int code = 0;           ///< errno, or 0 when there is none
  std::string detail;     ///< what to know or do about it; may be empty

  /// One line for people: "operation: detail (strerror)".
  [[nodiscard]] std::string text() const;
};

/// An Error without an errno.
[[nodiscard]] Error make_error(std::string operation, std::string detail = {});
/// An Error from the current errno.
[[nodiscard]] Error errno_error(std::string operation, std::string detail = {});

/// A value, or why there is none. Never ignored: [[nodiscard]] by std::expected's users.
template <class T = void, class E = Error>
using Result = std::expected<T, E>;

/// Shorthand for returning an error from any Result function.
[[nodiscard]] std::unexpected<Error> fail(std::string operation, std::string detail = {});

}  // namespace cygnet

#define CYG_CONCAT_INNER(a, b) a##b
#define CYG_CONCAT(a, b) CYG_CONCAT_INNER(a, b)

/// CYG_TRY(auto value, expression): declares `value` from a Result, or returns its error.
#define CYG_TRY(declaration, ...) \
  CYG_TRY_INNER(CYG_CONCAT(cyg_try_, __LINE__), declaration, __VA_ARGS__)
#define CYG_TRY_INNER(name, declaration, ...)                 \
  auto name = (__VA_ARGS__);                                  \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)

/// CYG_TRY_DO(expression): returns the error of a Result<void>, if there is one.
#define CYG_TRY_DO(...)                                      \
  do {                                                       \
    if (auto cyg_result = (__VA_ARGS__); !cyg_result)        \
      return std::unexpected(std::move(cyg_result).error()); \
  } while (false)
