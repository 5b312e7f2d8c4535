// A key and a self-signed certificate for TLS on loopback, valid from 2020 to 2120. They protect
// nothing.
#ifndef TURNOUT_TESTS_SUPPORT_CERTIFICATE_H_
#define TURNOUT_TESTS_SUPPORT_CERTIFICATE_H_

namespace turnout::testing {

// The name that the certificate is for: as a service, so that it is a channel's authority.
inline constexpr char kCertifiedService[] = "tls.turnout.test";

inline constexpr char kCertificate[] = R"(-----BEGIN CERTIFICATE-----
MIIBezCCASKgAwIBAgIBATAKBggqhkjOPQQDAjAeMRwwGgYDVQQDDBNUdXJub3V0
IHRlc3Qgc2VydmVyMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAe
MRwwGgYDVQQDDBNUdXJub3V0IHRlc3Qgc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZI
zj0DAQcDQgAEk/r24KjtEtTnKfsjIX7j4kCHJQ+NFUl/4FdlNpAWo4jU4v+VcyKi
ap6MWTn/x4H8eCVbnRpMqWhJjiK+yHgta6NPME0wDwYDVR0TAQH/BAUwAwEB/zAb
BgNVHREEFDASghB0bHMudHVybm91dC50ZXN0MB0GA1UdDgQWBBSyBPh2bKRC5zXd
AvPfe1mXLOuV6zAKBggqhkjOPQQDAgNHADBEAiByU1nO84qL5qudJ5jydrQ1Kpwy
T9srfLo9WS7z2EZkbgIgMJCjwLq+jhEyEBgsrY2VM7KFEGMHA6qsEaYhm/0v7Rc=
-----END CERTIFICATE-----
)";
inline constexpr char kPrivateKey[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmXkS1ARSU+CT5yes
0OjHN+RW2JrV6HgsP6XlU9t2KZmhRANCAAST+vbgqO0S1Ocp+yMhfuPiQIclD40V
SX/gV2U2kBajiNTi/5VzIqJqnoxZOf/Hgfx4JVudGkypaEmOIr7IeC1r
-----END PRIVATE KEY-----
)";

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_CERTIFICATE_H_
