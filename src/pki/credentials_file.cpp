#include "pki/credentials_file.hpp"

#include <openssl/pkcs12.h>

#include "pki/openssl.hpp"

namespace cygnet::pki {
namespace {

Bytes der_of(const X509* x509) {
  unsigned char* raw = nullptr;
  const int size = i2d_X509(x509, &raw);
  const Owned<unsigned char> owner{raw};
  return size > 0 ? Bytes(raw, raw + size) : Bytes{};
}

}  // namespace

Result<std::unique_ptr<crypto::PrivateKey>> load_key(ByteView data, std::string_view password) {
  return crypto::load_private_key(data, password);
}

Result<Pkcs12> load_pkcs12(ByteView data, std::string_view password) {
  if (data.size() > kPkcs12OctetsMax) return fail("PKCS#12", "larger than 1 MiB");
  const unsigned char* at = data.data();
  const std::unique_ptr<PKCS12, decltype(&PKCS12_free)> file{
      d2i_PKCS12(nullptr, &at, static_cast<long>(data.size())), PKCS12_free};
  if (!file) {
    ERR_clear_error();
    return fail("PKCS#12", "the file does not parse");
  }
  const ASN1_INTEGER* iterations = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, file.get());
  if (iterations != nullptr && ASN1_INTEGER_get(iterations) > kPkcs12IterationsMax) {
    return fail("PKCS#12", "its password needs more iterations than we allow");
  }
  const std::string phrase{password};
  EVP_PKEY* raw_key = nullptr;
  X509* raw_cert = nullptr;
  STACK_OF(X509)* raw_others = nullptr;
  const int opened = PKCS12_parse(file.get(), phrase.c_str(), &raw_key, &raw_cert, &raw_others);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{raw_key, EVP_PKEY_free};
  const Owned<X509> cert{raw_cert};
  const auto free_all = [](STACK_OF(X509) * all) { sk_X509_pop_free(all, X509_free); };
  const std::unique_ptr<STACK_OF(X509), decltype(free_all)> others{raw_others, free_all};
  if (opened != 1) {
    const bool legacy = ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED ||
                        ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_EVP;
    ERR_clear_error();
    return fail("PKCS#12", legacy ? "it is encrypted with RC2-40, which needs OpenSSL's legacy "
                                    "provider; export it again with AES or 3DES"
                                  : "wrong password, or the file is damaged");
  }
  if (!key || !cert) return fail("PKCS#12", "it does not hold one key with its certificate");
  unsigned char* raw = nullptr;
  const int size = i2d_PrivateKey(key.get(), &raw);
  if (size <= 0) return fail("PKCS#12", "its key cannot be used");
  auto loaded = crypto::load_private_key(ByteView{raw, static_cast<std::size_t>(size)});
  OPENSSL_clear_free(raw, static_cast<std::size_t>(size));
  if (!loaded) return std::unexpected(std::move(loaded).error());

  Pkcs12 out{.key = *std::move(loaded)};
  CYG_TRY(Certificate own, Certificate::parse(der_of(cert.get())));
  out.certs.push_back(std::move(own));
  for (int i = 0; others && i < sk_X509_num(others.get()); ++i) {
    if (out.certs.size() >= kPkcs12BagsMax) return fail("PKCS#12", "too many certificates");
    CYG_TRY(Certificate one, Certificate::parse(der_of(sk_X509_value(others.get(), i))));
    out.certs.push_back(std::move(one));
  }
  return out;
}

}  // namespace cygnet::pki
