// Credentials as files carry them: PKCS#12 and private keys.   RFC 7292, RFC 5958
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "crypto/provider.hpp"
#include "pki/certificate.hpp"

namespace cygnet::pki {

/// Largest PKCS#12 file that is opened, in octets.
inline constexpr std::size_t kPkcs12OctetsMax = 1024 * 1024;
/// Most iterations of a password-based key derivation that a file may demand of us.
inline constexpr long kPkcs12IterationsMax = 2'000'000;
/// Most safe bags that are looked at.
inline constexpr std::size_t kPkcs12BagsMax = 256;

/// What a .p12 file holds.
struct Pkcs12 {
  std::unique_ptr<crypto::PrivateKey> key;
  std::vector<Certificate> certs;  ///< the key's own certificate first, then file order
};

/// Opens a PKCS#12 file: PBES2 (AES) and the old 3DES scheme always; RC2-40 only where OpenSSL's
/// legacy provider is installed, and the error says so. Needs exactly one key and its certificate.
[[nodiscard]] Result<Pkcs12> load_pkcs12(ByteView data, std::string_view password);

/// A private key, PEM or DER; PKCS#8 (also encrypted), PKCS#1 or SEC 1.
[[nodiscard]] Result<std::unique_ptr<crypto::PrivateKey>> load_key(ByteView data,
                                                                   std::string_view password = {});

}  // namespace cygnet::pki
