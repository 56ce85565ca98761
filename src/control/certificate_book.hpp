// Certificates in the order in which they came, each once.
#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <string_view>

#include "pki/certificate.hpp"

namespace cygnet::control {

/// References into it live until clear().
class CertificateBook {
 public:
  CertificateBook() = default;
  CertificateBook(CertificateBook&&) = default;
  CertificateBook& operator=(CertificateBook&&) = default;
  CertificateBook(const CertificateBook&) = delete;
  CertificateBook& operator=(const CertificateBook&) = delete;
  ~CertificateBook() = default;

  /// False, and nothing is done, when it is there already.
  bool add(const pki::Certificate& certificate) {
    if (contains(certificate)) return false;
    all_.push_back(certificate);
    known_.insert(octets(all_.back().der()));
    return true;
  }
  [[nodiscard]] bool contains(const pki::Certificate& certificate) const {
    return contains(certificate.der());
  }
  [[nodiscard]] bool contains(ByteView der) const { return known_.contains(octets(der)); }
  [[nodiscard]] const std::deque<pki::Certificate>& all() const { return all_; }
  [[nodiscard]] const pki::Certificate& operator[](std::size_t i) const { return all_[i]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  void clear() {
    known_.clear();
    all_.clear();
  }

 private:
  static std::string_view octets(ByteView der) {
    return {reinterpret_cast<const char*>(der.data()), der.size()};
  }

  std::deque<pki::Certificate> all_;
  std::set<std::string_view> known_;  ///< their DER, which stays where it is, moved or not
};

}  // namespace cygnet::control
