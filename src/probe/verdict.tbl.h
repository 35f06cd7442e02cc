/* How a probe ended if it did not find TLS: VERDICT(id, word for programs, English, German). */
/* clang-format off */
VERDICT(UNRESOLVED, "unresolved", "no address", "keine Adresse")
VERDICT(UNREACHABLE, "unreachable", "unreachable", "nicht erreichbar")
VERDICT(SILENT, "silent", "silent", "stumm")
VERDICT(RATE_LIMITED, "rate-limited", "rate limited", "begrenzt Anfragen")
VERDICT(NOT_OFFERED, "no-starttls", "no STARTTLS", "kein STARTTLS")
VERDICT(MASKED, "masked", "STARTTLS masked", "STARTTLS verdeckt")
VERDICT(REFUSED, "starttls-refused", "STARTTLS refused", "STARTTLS abgelehnt")
VERDICT(RESET, "reset", "reset after hello", "Abbruch nach dem Hello")
VERDICT(NOT_TLS, "not-tls", "not TLS", "kein TLS")
VERDICT(FAILED, "tls-failed", "TLS refused", "TLS abgelehnt")
/* clang-format on */
