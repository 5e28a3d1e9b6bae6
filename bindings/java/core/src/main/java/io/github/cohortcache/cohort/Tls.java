package io.github.cohortcache.cohort;

import java.nio.file.Path;
import java.util.Optional;

/**
 * TLS between members. The files hold PEM; they are read when the instance is built.
 *
 * @param authorities trusted authorities for peers' certificates; empty: the system's
 * @param certificate this member's certificate chain, shown when listening and, if asked, to peers; empty, with key: this
 *     member only asks
 * @param key the certificate's private key
 * @param requireClientCertificate mutual TLS: peers must show a certificate that the authorities vouch for
 */
public record Tls(Optional<Path> authorities, Optional<Path> certificate, Optional<Path> key,
    boolean requireClientCertificate) {

  /**
   * TLS in which only the member that listens shows a certificate.
   *
   * @param authorities trusted authorities
   * @param certificate this member's certificate chain
   * @param key its private key
   * @return the settings
   */
  public static Tls of(Path authorities, Path certificate, Path key) {
    return new Tls(Optional.of(authorities), Optional.of(certificate), Optional.of(key), false);
  }

  /**
   * TLS in which both sides show certificates.
   *
   * @param authorities trusted authorities
   * @param certificate this member's certificate chain
   * @param key its private key
   * @return the settings
   */
  public static Tls mutual(Path authorities, Path certificate, Path key) {
    return new Tls(Optional.of(authorities), Optional.of(certificate), Optional.of(key), true);
  }
}
