// An eventfd as a flag to poll on.
#include "io/queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.hpp"

namespace cygnet::io {

Result<EventFd> EventFd::open() {
  UniqueFd fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!fd) return std::unexpected(errno_error("eventfd"));
  return EventFd{std::move(fd)};
}

void EventFd::signal() const {
  const std::uint64_t one = 1;
  // EAGAIN means the counter is at its maximum: it is readable, which is all that is wanted.
  const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  CYG_DCHECK(written == sizeof one || errno == EAGAIN);
  static_cast<void>(written);
}

void EventFd::clear() const {
  std::uint64_t count = 0;
  // EAGAIN means it was clear already.
  const ssize_t got = ::read(fd_.get(), &count, sizeof count);
  CYG_DCHECK(got == sizeof count || errno == EAGAIN);
  static_cast<void>(got);
}

}  // namespace cygnet::io
