#include "disk/disk_files.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "config/swanctl_parser.hpp"
#include "io/unique_fd.hpp"

namespace cygnet::disk {

Result<std::string> DiskFiles::read(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not hang.
  const io::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return std::unexpected(errno_error("open " + path));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return std::unexpected(errno_error("look at " + path));
  if (!S_ISREG(info.st_mode)) return fail("open " + path, "not a regular file");
  std::string out;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno_error("read " + path));
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > config::kFileOctetsMax) {
      return fail("read " + path,
                  "larger than " + std::to_string(config::kFileOctetsMax) + " octets");
    }
  }
}

std::vector<std::string> DiskFiles::glob(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> out;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      struct stat info{};
      const char* path = found.gl_pathv[i];
      // Folders that match are no files; everything else is reported when it is read.
      if (::stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) out.emplace_back(path);
    }
  }
  ::globfree(&found);
  return out;
}

bool DiskFiles::is_public(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

}  // namespace cygnet::disk
