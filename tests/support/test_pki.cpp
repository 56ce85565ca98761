#include "support/test_pki.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "base/check.hpp"

namespace cygnet::test {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

Key make_key(TestKey kind) {
  switch (kind) {
    case TestKey::p256:
      return Key{EVP_EC_gen("P-256")};
    case TestKey::p384:
      return Key{EVP_EC_gen("P-384")};
    case TestKey::p521:
      return Key{EVP_EC_gen("P-521")};
    case TestKey::secp256k1:
      return Key{EVP_EC_gen("secp256k1")};
    case TestKey::rsa_1024:
      return Key{EVP_RSA_gen(1024)};
    case TestKey::rsa_2048:
      return Key{EVP_RSA_gen(2048)};
    case TestKey::ed25519:
      return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    case TestKey::ed448:
      return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")};
  }
  return nullptr;
}

Key key_of(const Issued& issued) {
  const unsigned char* at = issued.key.data();
  return Key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(issued.key.size()))};
}
Cert cert_of(const Issued& issued) {
  const unsigned char* at = issued.cert.data();
  return Cert{d2i_X509(nullptr, &at, static_cast<long>(issued.cert.size()))};
}

template <class T, class Write>
Bytes der_of(T* object, Write write) {
  unsigned char* raw = nullptr;
  const int size = write(object, &raw);
  CYG_CHECK(size > 0);
  Bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void set_name(X509_NAME* to, const std::string& name) {
  const auto add = [to](const char* field, const std::string& value) {
    CYG_CHECK(X509_NAME_add_entry_by_txt(to, field, MBSTRING_UTF8,
                                         reinterpret_cast<const unsigned char*>(value.data()),
                                         static_cast<int>(value.size()), -1, 0) == 1);
  };
  add("C", "CH");
  add("O", "test");
  add("CN", name);
}

}  // namespace

pki::Certificate Issued::certificate() const {
  auto out = pki::Certificate::parse(cert);
  CYG_CHECK(out.has_value());
  return *std::move(out);
}

std::string Issued::cert_pem() const {
  const Bio bio{BIO_new(BIO_s_mem())};
  CYG_CHECK(PEM_write_bio_X509(bio.get(), cert_of(*this).get()) == 1);
  return text_of(bio);
}

std::string Issued::key_pem(std::string_view password) const {
  const Bio bio{BIO_new(BIO_s_mem())};
  const std::string secret{password};
  CYG_CHECK(PEM_write_bio_PKCS8PrivateKey(
                bio.get(), key_of(*this).get(), secret.empty() ? nullptr : EVP_aes_256_cbc(),
                secret.data(), static_cast<int>(secret.size()), nullptr, nullptr) == 1);
  return text_of(bio);
}

Bytes Issued::pkcs12(std::string_view password, const std::vector<Issued>& others) const {
  STACK_OF(X509)* more = sk_X509_new_null();
  for (const Issued& other : others) sk_X509_push(more, cert_of(other).release());
  const std::string secret{password};
  const std::unique_ptr<PKCS12, Deleter<PKCS12_free>> made{PKCS12_create(
      secret.c_str(), "test", key_of(*this).get(), cert_of(*this).get(), more, 0, 0, 2048, 0, 0)};
  sk_X509_pop_free(more, X509_free);
  CYG_CHECK(made);
  return der_of(made.get(), i2d_PKCS12);
}

CertMaker CertMaker::ca(std::string_view name) {
  CertMaker out;
  out.name_ = name;
  out.basic_constraints("CA:TRUE").key_usage("keyCertSign,cRLSign");
  return out;
}

CertMaker CertMaker::leaf(std::string_view name) {
  CertMaker out;
  out.name_ = name;
  out.key_usage("digitalSignature");
  return out;
}

namespace {

void set_extension(std::vector<std::pair<int, std::string>>& all, int nid, std::string value) {
  std::erase_if(all, [nid](const auto& one) { return one.first == nid; });
  if (!value.empty()) all.emplace_back(nid, std::move(value));
}

}  // namespace

CertMaker& CertMaker::key(TestKey kind) {
  kind_ = kind;
  return *this;
}
CertMaker& CertMaker::san(std::string_view names) {
  set_extension(extensions_, NID_subject_alt_name, std::string{names});
  return *this;
}
CertMaker& CertMaker::eku(std::string_view list) {
  set_extension(extensions_, NID_ext_key_usage, std::string{list});
  return *this;
}
CertMaker& CertMaker::key_usage(std::string_view list) {
  set_extension(extensions_, NID_key_usage, list.empty() ? "" : "critical," + std::string{list});
  return *this;
}
CertMaker& CertMaker::valid(WallTime from, WallTime to) {
  from_ = from;
  to_ = to;
  return *this;
}
CertMaker& CertMaker::basic_constraints(std::string_view value) {
  set_extension(extensions_, NID_basic_constraints,
                value.empty() ? "" : "critical," + std::string{value});
  return *this;
}
CertMaker& CertMaker::name_constraints(std::string_view value) {
  set_extension(extensions_, NID_name_constraints, "critical," + std::string{value});
  return *this;
}
CertMaker& CertMaker::sha1() {
  sha1_ = true;
  return *this;
}
CertMaker& CertMaker::break_signature() {
  break_signature_ = true;
  return *this;
}

Issued CertMaker::make(const Issued* issuer) const {
  const Key key = make_key(kind_);
  CYG_CHECK(key);
  const Cert cert{X509_new()};
  static long serial = 1000;
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(cert.get()), from_.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(cert.get()), to_.time_since_epoch().count());
  set_name(X509_get_subject_name(cert.get()), name_);
  X509_set_pubkey(cert.get(), key.get());

  const Cert parent = issuer == nullptr ? nullptr : cert_of(*issuer);
  X509* signer = parent ? parent.get() : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, cert.get(), nullptr, nullptr, 0);
  auto all = extensions_;
  all.insert(all.begin(), {NID_subject_key_identifier, "hash"});
  if (parent) all.emplace_back(NID_authority_key_identifier, "keyid");
  for (const auto& [nid, value] : all) {
    const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension{
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
    CYG_CHECK(extension);
    X509_add_ext(cert.get(), extension.get(), -1);
  }
  const Key signing = parent ? key_of(*issuer) : nullptr;
  EVP_PKEY* with = signing ? signing.get() : key.get();
  const bool edwards = EVP_PKEY_is_a(with, "ED25519") == 1 || EVP_PKEY_is_a(with, "ED448") == 1;
  const EVP_MD* digest = sha1_ ? EVP_sha1() : EVP_sha256();
  CYG_CHECK(X509_sign(cert.get(), with, edwards ? nullptr : digest) > 0);
  Issued out{.cert = der_of(cert.get(), i2d_X509), .key = {}};
  out.key = der_of(key.get(), [](EVP_PKEY* k, unsigned char** raw) {
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>> info{
        EVP_PKEY2PKCS8(k)};
    return i2d_PKCS8_PRIV_KEY_INFO(info.get(), raw);
  });
  if (break_signature_) out.cert.back() ^= 1;
  return out;
}

}  // namespace cygnet::test
