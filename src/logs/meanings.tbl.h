/*
 * What it means that a handshake ended so: MEANING(name, guess, and for each direction a fault and
 * what it was, in English and in German). First as this machine sees it as a server (the other side
 * is a client), then as a client. SAME(name, guess, fault, English, German): both alike. "Sie" is
 * the other side. A guess: the words leave something open.
 */
/* clang-format off */
SAME(UNKNOWN, true, TLS_HANDSHAKE_FAILED, "the words do not tell", "der Wortlaut sagt es nicht")

/* ---- what this machine's library found ---- */
MEANING(NO_SUITE, true,
	TLS_HANDSHAKE_FAILED, "no suite that both sides know and a certificate here can serve: key type, suites or curves",
	"keine Suite, die beide Seiten kennen und zu der hier ein Zertifikat passt: Schlüsselart, Suiten oder Kurven",
	TLS_HANDSHAKE_FAILED, "no suite that both sides know: key type, suites or curves",
	"keine Suite, die beide Seiten kennen: Schlüsselart, Suiten oder Kurven")
MEANING(NO_SIGNATURE, true,
	TLS_SIGNATURES_RSA_ONLY, "it verifies no signatures of the key type served here, or speaks nothing above TLS 1.1, which the security level forbids",
	"sie prüft keine Signaturen der hier verwendeten Schlüsselart oder spricht höchstens TLS 1.1, was die Sicherheitsstufe verbietet",
	TLS_HANDSHAKE_FAILED, "no signature algorithm in common", "kein gemeinsames Signaturverfahren")
MEANING(SHA1_ONLY, true,
	TLS_PEER_SHA1_ONLY, "it verifies only SHA-1 signatures", "sie prüft nur SHA-1-Signaturen",
	TLS_HANDSHAKE_FAILED, "no signature algorithm in common", "kein gemeinsames Signaturverfahren")
SAME(NO_GROUP, false, TLS_GROUPS_DISJOINT_13, "no group (curve) in common", "keine gemeinsame Gruppe (Kurve)")
SAME(FALLBACK, false, TLS_FALLBACK_SCSV, "it retried with a lower version after an earlier failure",
	"sie versuchte es nach einem Fehlschlag mit einer niedrigeren Version")
MEANING(NO_VERSION, true,
	TLS_PEER_TOO_OLD, "no version in common: it is probably too old", "keine gemeinsame Version: sie ist wohl zu alt",
	TLS_SERVER_VERSION, "no version in common", "keine gemeinsame Version")
MEANING(VERSION_LOW, true,
	TLS_PEER_TOO_OLD, "no version in common: it is too old", "keine gemeinsame Version: sie ist zu alt",
	TLS_SERVER_VERSION, "no version in common: it is too old", "keine gemeinsame Version: sie ist zu alt")
MEANING(SSL2, true,
	TLS_PEER_SSL2, "no version in common: SSL 2, or no TLS", "keine gemeinsame Version: SSL 2 oder kein TLS",
	TLS_NOT_TLS, "it did not speak TLS, or a version that nobody knows", "sie sprach kein TLS oder eine unbekannte Version")
SAME(HTTP, false, TLS_HTTP, "somebody sent HTTP", "jemand sandte HTTP")
SAME(NOT_TLS, true, TLS_NOT_TLS, "it did not speak TLS, or broke off with an alert of another version than was agreed upon",
	"sie sprach kein TLS, oder sie brach mit einem Alert einer anderen Version als der vereinbarten ab")
SAME(NOT_TLS_OR_BROKEN, true, TLS_NOT_TLS, "it did not speak TLS, or broke off", "sie sprach kein TLS oder brach ab")
MEANING(NOT_TRUSTED, false,
	TLS_CLIENT_CERT_BAD, "its client certificate was not trusted", "ihrem Client-Zertifikat wurde nicht vertraut",
	TLS_NOT_TRUSTED, "the server's certificate was not trusted", "dem Zertifikat des Servers wurde nicht vertraut")
MEANING(CERT_EXPIRED_HERE, true,
	TLS_CLIENT_CERT_EXPIRED, "its client certificate, or the session, had expired", "ihr Client-Zertifikat oder die Sitzung war abgelaufen",
	TLS_NOT_TRUSTED, "the server's certificate, or the session, had expired", "das Zertifikat des Servers oder die Sitzung war abgelaufen")
MEANING(CERT_EARLY_HERE, false,
	TLS_CLIENT_CERT_EARLY, "its client certificate is not valid yet", "ihr Client-Zertifikat gilt noch nicht",
	TLS_NOT_TRUSTED, "the server's certificate is not valid yet", "das Zertifikat des Servers gilt noch nicht")
MEANING(CERT_USAGE, true,
	TLS_CLIENT_CERT_BAD, "a certificate whose type or key usage does not fit", "ein Zertifikat, dessen Art oder Schlüsselverwendung nicht passt",
	TLS_NOT_TRUSTED, "a certificate whose type or key usage does not fit", "ein Zertifikat, dessen Art oder Schlüsselverwendung nicht passt")
MEANING(CERT_WEAK, true,
	TLS_CLIENT_CERT_BAD, "a certificate with a key or signature that is too weak", "ein Zertifikat mit zu schwachem Schlüssel oder zu schwacher Signatur",
	TLS_NOT_TRUSTED, "a certificate with a key or signature that is too weak", "ein Zertifikat mit zu schwachem Schlüssel oder zu schwacher Signatur")
MEANING(CLIENT_CERT_MISSING, false,
	TLS_CLIENT_CERT_MISSING, "a client certificate was demanded, and there was none", "ein Client-Zertifikat wurde verlangt, und es gab keines",
	TLS_CLIENT_CERT_WANTED, "a client certificate was demanded, and there was none", "ein Client-Zertifikat wurde verlangt, und es gab keines")
MEANING(CERT_REQUIRED, false,
	TLS_CLIENT_CERT_MISSING, "a client certificate was demanded, and there was none", "ein Client-Zertifikat wurde verlangt, und es gab keines",
	TLS_CLIENT_CERT_WANTED, "the server demands a client certificate", "der Server verlangt ein Client-Zertifikat")
MEANING(CERT_NONE, true,
	TLS_CLIENT_CERT_MISSING, "no certificate was found: a client's that was demanded, or this server's own", "es fand sich kein Zertifikat: das verlangte eines Clients, oder das eigene",
	TLS_NOT_TRUSTED, "the server showed no certificate", "der Server zeigte kein Zertifikat")
MEANING(NO_CERT, true,
	TLS_NO_CERT, "this server has no usable certificate", "dieser Server hat kein brauchbares Zertifikat",
	TLS_BROKEN_HERE, "the client certificate set up here is not usable", "das hier eingestellte Client-Zertifikat ist nicht brauchbar")
SAME(KEY_MISMATCH, false, TLS_BROKEN_HERE, "key and certificate set up here do not belong together",
	"der hier eingestellte Schlüssel passt nicht zum Zertifikat")
MEANING(DH_SMALL, false,
	TLS_DH_TOO_SMALL, "a DH group is too small", "eine DH-Gruppe ist zu klein",
	TLS_DH_TOO_SMALL, "the server's DH group is too small", "die DH-Gruppe des Servers ist zu klein")
SAME(NO_DH, true, TLS_NO_DH, "classic DH was wanted, and there are no parameters for it", "klassisches DH wurde verlangt, und es gibt keine Parameter dafür")
MEANING(RENEGOTIATION, false,
	TLS_UNEXPECTED_MESSAGE, "it wanted to negotiate anew, or not securely", "sie wollte neu oder unsicher verhandeln",
	TLS_NO_SECURE_RENEGOTIATION, "the server lacks secure renegotiation", "dem Server fehlt die sichere Neuverhandlung")
MEANING(SUITE_NOT_OFFERED, true,
	TLS_HANDSHAKE_FAILED, "the sides disagree about the suite of an earlier session", "die Seiten sind sich über die Suite einer früheren Sitzung uneins",
	TLS_SUITE_NOT_OFFERED, "the server chose a suite that was not offered", "der Server wählte eine nicht angebotene Suite")
SAME(NAME, false, TLS_NAME_REFUSED, "the name asked for was refused", "der verlangte Name wurde abgelehnt")
SAME(ALPN, false, TLS_NO_ALPN, "no application protocol in common", "kein gemeinsames Anwendungsprotokoll")
SAME(CORRUPT, false, TLS_RECORD_CORRUPT, "data were changed on the way", "Daten wurden unterwegs verändert")
/* GnuTLS as a server, of the alert that an OpenSSL client of TLS 1.3 sends in clear when it refuses
 * the certificate. */
MEANING(DECRYPTION, true,
	TLS_CERT_REFUSED, "most likely it refused the certificate (by an alert that the library here could not read)",
	"wohl lehnte sie das Zertifikat ab (mit einem Alert, den die hiesige Bibliothek nicht lesen konnte)",
	TLS_RECORD_CORRUPT, "data could not be decrypted", "Daten waren nicht zu entschlüsseln")
SAME(RECORD_LARGE, false, TLS_RECORD_TOO_LARGE, "no TLS, or broken", "kein TLS, oder defekt")
MEANING(MESSAGE_LARGE, true,
	TLS_HELLO_MALFORMED, "its message was larger than is accepted", "ihre Nachricht war größer als zulässig",
	TLS_SERVER_CHAIN_TOO_LARGE, "the server's chain of certificates is too large", "die Zertifikatskette des Servers ist zu groß")
SAME(UNEXPECTED, false, TLS_UNEXPECTED_MESSAGE, "it sent something else than expected", "sie sandte etwas anderes als erwartet")
MEANING(MALFORMED, true,
	TLS_HELLO_MALFORMED, "its message is malformed", "ihre Nachricht ist fehlerhaft",
	TLS_HANDSHAKE_FAILED, "the server's message is malformed", "die Nachricht des Servers ist fehlerhaft")
MEANING(INCOMPLETE, false,
	TLS_HELLO_INCOMPLETE_13, "its ClientHello is incomplete", "ihr ClientHello ist unvollständig",
	TLS_HANDSHAKE_FAILED, "the server's message is incomplete", "die Nachricht des Servers ist unvollständig")
SAME(BAD_SIGNATURE, true, TLS_HANDSHAKE_FAILED, "a signature of the other side was wrong, or of a kind that is not accepted",
	"eine Signatur der anderen Seite war falsch oder von nicht zugelassener Art")
SAME(WEAK, true, TLS_HANDSHAKE_FAILED, "key, signature or suite of the other side are too weak for the security level here",
	"Schlüssel, Signatur oder Suite der anderen Seite sind für die hiesige Sicherheitsstufe zu schwach")
SAME(LEFT, true, TLS_PEER_LEFT_AT_CERT, "it hung up without a word", "sie legte wortlos auf")
SAME(TIMEOUT, false, TLS_TIMEOUT, "it took too long", "es dauerte zu lange")
SAME(BROKEN_HERE, true, TLS_BROKEN_HERE, "TLS did not work on this machine itself", "TLS funktionierte auf dieser Maschine selbst nicht")
SAME(UNKNOWN_HANDSHAKE, true, TLS_HANDSHAKE_FAILED, "the handshake failed; the words tell no more", "der Handshake scheiterte; mehr sagt der Wortlaut nicht")

/* ---- what the other side said, by an alert ---- */
MEANING(ALERT, true,
	TLS_PEER_REFUSED, "it broke off with an alert", "sie brach mit einem Alert ab",
	TLS_SERVER_REFUSED, "the server broke off with an alert", "der Server brach mit einem Alert ab")
MEANING(A_HANDSHAKE, true,
	TLS_PEER_REFUSED, "it found nothing acceptable in what this server chose", "sie fand in der Wahl dieses Servers nichts Annehmbares",
	TLS_SERVER_REFUSED, "the server found nothing in common, or wants what this machine lacks", "der Server fand nichts Gemeinsames oder verlangt, was dieser Maschine fehlt")
MEANING(A_VERSION, true,
	TLS_PEER_REFUSED, "it refuses the version that this server chose", "sie lehnt die Version ab, die dieser Server wählte",
	TLS_SERVER_VERSION, "no version in common", "keine gemeinsame Version")
MEANING(A_WEAK, true,
	TLS_PEER_REFUSED, "key, signature or suite of this server are too weak for it", "Schlüssel, Signatur oder Suite dieses Servers sind ihr zu schwach",
	TLS_SERVER_REFUSED, "what this machine offers is too weak for the server", "was diese Maschine anbietet, ist dem Server zu schwach")
MEANING(A_INTERNAL, true,
	TLS_PEER_REFUSED, "something broke on its side", "auf ihrer Seite ging etwas schief",
	TLS_SERVER_REFUSED, "something broke on the server's side", "auf der Seite des Servers ging etwas schief")
MEANING(A_UNEXPECTED, true,
	TLS_PEER_REFUSED, "it expected another message", "sie erwartete eine andere Nachricht",
	TLS_SERVER_REFUSED, "the server expected another message", "der Server erwartete eine andere Nachricht")
SAME(A_MAC, false, TLS_RECORD_CORRUPT, "data were changed on the way, in the other side's eyes", "Daten wurden nach Ansicht der anderen Seite unterwegs verändert")
MEANING(A_OVERFLOW, true,
	TLS_PEER_REFUSED, "a record was too large for it", "ein Record war ihr zu groß",
	TLS_SERVER_REFUSED, "a record was too large for the server", "ein Record war dem Server zu groß")
MEANING(A_ILLEGAL, true,
	TLS_PEER_REFUSED, "it took something for illegal, or the chain of certificates was too large for it", "sie hielt etwas für unzulässig, oder die Zertifikatskette war ihr zu groß",
	TLS_SERVER_REFUSED, "the server took something for illegal", "der Server hielt etwas für unzulässig")
MEANING(A_MALFORMED, true,
	TLS_PEER_REFUSED, "it could not read a message of this server", "sie konnte eine Nachricht dieses Servers nicht lesen",
	TLS_SERVER_REFUSED, "the server could not read a message", "der Server konnte eine Nachricht nicht lesen")
MEANING(A_MISSING, true,
	TLS_PEER_REFUSED, "it missed an extension", "ihr fehlte eine Erweiterung",
	TLS_SERVER_REFUSED, "the server missed an extension", "dem Server fehlte eine Erweiterung")
MEANING(A_SIGNATURE, true,
	TLS_PEER_REFUSED, "it could not verify a signature: key and certificate may not belong together", "sie konnte eine Signatur nicht prüfen: Schlüssel und Zertifikat gehören vielleicht nicht zusammen",
	TLS_SERVER_REFUSED, "the server could not verify a signature", "der Server konnte eine Signatur nicht prüfen")
MEANING(A_BAD_CERT, true,
	TLS_CERT_REFUSED, "it refused the certificate", "sie lehnte das Zertifikat ab",
	TLS_CLIENT_CERT_REFUSED, "the server refused this machine's client certificate", "der Server lehnte das Client-Zertifikat dieser Maschine ab")
MEANING(A_CERT_TYPE, true,
	TLS_CERT_NOT_FOR_SERVERS, "the certificate was not for this purpose in its eyes", "das Zertifikat war ihr nicht für diesen Zweck",
	TLS_CLIENT_CERT_REFUSED, "this machine's client certificate was not for this purpose in the server's eyes", "das Client-Zertifikat dieser Maschine war dem Server nicht für diesen Zweck")
MEANING(A_REVOKED, true,
	TLS_CERT_REFUSED, "the certificate was revoked in its eyes", "das Zertifikat galt ihr als widerrufen",
	TLS_CLIENT_CERT_REFUSED, "this machine's client certificate was revoked in the server's eyes", "das Client-Zertifikat dieser Maschine galt dem Server als widerrufen")
MEANING(A_EXPIRED, true,
	TLS_CERT_EXPIRED, "a certificate had expired in its eyes", "ein Zertifikat galt ihr als abgelaufen",
	TLS_CLIENT_CERT_REFUSED, "this machine's client certificate had expired in the server's eyes", "das Client-Zertifikat dieser Maschine galt dem Server als abgelaufen")
MEANING(A_CERT_UNKNOWN, true,
	TLS_CERT_REFUSED, "it refused the certificate for some other reason", "sie lehnte das Zertifikat aus einem anderen Grund ab",
	TLS_CLIENT_CERT_REFUSED, "the server refused this machine's client certificate for some other reason", "der Server lehnte das Client-Zertifikat dieser Maschine aus einem anderen Grund ab")
MEANING(A_CA, true,
	TLS_CERT_CA_UNKNOWN, "the CA was not known to it", "die CA war ihr nicht bekannt",
	TLS_CLIENT_CERT_REFUSED, "the CA of this machine's client certificate was not known to the server", "die CA des Client-Zertifikats dieser Maschine war dem Server nicht bekannt")
MEANING(A_ACCESS, true,
	TLS_CERT_REFUSED, "the certificate is good, and its rules forbid it all the same", "das Zertifikat ist gut, und ihre Regeln verbieten es trotzdem",
	TLS_SERVER_REFUSED, "the server's rules forbid it", "die Regeln des Servers verbieten es")
MEANING(A_STAPLE, true,
	TLS_MUST_STAPLE, "the OCSP response beside the certificate was missing or bad", "die OCSP-Antwort zum Zertifikat fehlte oder war schlecht",
	TLS_SERVER_REFUSED, "the server refused an OCSP response", "der Server lehnte eine OCSP-Antwort ab")
SAME(A_NO_CERT, true, TLS_CLIENT_CERT_MISSING, "it has no client certificate", "sie hat kein Client-Zertifikat")
MEANING(A_CERT_REQUIRED, false,
	TLS_PEER_REFUSED, "it demands a certificate", "sie verlangt ein Zertifikat",
	TLS_CLIENT_CERT_WANTED, "the server demands a client certificate", "der Server verlangt ein Client-Zertifikat")
MEANING(A_FALLBACK, true,
	TLS_PEER_REFUSED, "it took the version for a forced fallback", "sie hielt die Version für eine erzwungene Rückstufung",
	TLS_FALLBACK_SCSV, "the server took this for a retry with a lower version", "der Server hielt dies für einen Versuch mit niedrigerer Version")
SAME(A_CANCELED, true, TLS_PEER_LEFT_AT_CERT, "it gave up (user_canceled)", "sie brach von sich aus ab (user_canceled)")
MEANING(A_RENEGOTIATION, true,
	TLS_PEER_REFUSED, "it does not negotiate anew", "sie verhandelt nicht neu",
	TLS_SERVER_REFUSED, "the server does not negotiate anew", "der Server verhandelt nicht neu")
MEANING(A_NAME, false,
	TLS_PEER_REFUSED, "it does not know the name", "sie kennt den Namen nicht",
	TLS_NAME_REFUSED, "the name asked for was refused", "der verlangte Name wurde abgelehnt")
MEANING(A_PSK, true,
	TLS_PEER_REFUSED, "it does not know the shared key", "sie kennt den gemeinsamen Schlüssel nicht",
	TLS_SERVER_REFUSED, "the server does not know the shared key", "der Server kennt den gemeinsamen Schlüssel nicht")

/* ---- what programs say ---- */
SAME(NOT_OFFERED, false, TLS_NOT_OFFERED, "TLS was demanded, and the server did not offer it", "TLS wurde verlangt, und der Server bot es nicht an")
SAME(STARTTLS_REFUSED, false, TLS_NOT_OFFERED, "TLS was demanded, and the server refused STARTTLS", "TLS wurde verlangt, und der Server lehnte STARTTLS ab")
SAME(STARTTLS_REFUSED_PERHAPS, true, TLS_NOT_OFFERED, "TLS was demanded, and the server refused STARTTLS", "TLS wurde verlangt, und der Server lehnte STARTTLS ab")
SAME(DEMANDED, false, TLS_DEMANDED, "the server takes such mail with TLS only, and it was sent without", "der Server nimmt solche Mail nur mit TLS an, und sie kam ohne")
SAME(STARTTLS_FAILED, true, TLS_HANDSHAKE_FAILED, "STARTTLS was asked for and refused or broken off; the log does not tell why",
	"STARTTLS wurde verlangt und abgelehnt oder abgebrochen; warum, sagt das Protokoll nicht")
MEANING(VERSION_SSL, true,
	TLS_PEER_TOO_OLD, "no version in common: SSL 2 or 3", "keine gemeinsame Version: SSL 2 oder 3",
	TLS_SERVER_VERSION, "no version in common: SSL 2 or 3", "keine gemeinsame Version: SSL 2 oder 3")
SAME(VERSION_13, true, TLS_NOT_TLS, "it did not speak TLS, or no version that is served here", "sie sprach kein TLS oder keine hier angebotene Version")
/* clang-format on */
