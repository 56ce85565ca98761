#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace cygnet {

std::string Error::text() const {
  std::string out = operation;
  if (!detail.empty()) out += ": " + detail;
  if (code != 0) {
    const std::string reason = std::generic_category().message(code);
    out += detail.empty() ? ": " + reason : " (" + reason + ")";
  }
  return out;
}

Error make_error(std::string operation, std::string detail) {
  return Error{.operation = std::move(operation), .code = 0, .detail = std::move(detail)};
}

Error errno_error(std::string operation, std::string detail) {
  const int code = errno;
  return Error{.operation = std::move(operation), .code = code, .detail = std::move(detail)};
}

std::unexpected<Error> fail(std::string operation, std::string detail) {
  return std::unexpected(make_error(std::move(operation), std::move(detail)));
}

}  // namespace cygnet
