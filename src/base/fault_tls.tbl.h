/*
 * Why TLS handshakes fail: part of base/fault.tbl.h (which see), one row for each cause that
 * tls/explain.h can name. In the order of the decision. {refusal} says what the peer did about a
 * certificate: empty, or "; the peer refused it (alert 42, bad_certificate)". {proof} is empty or
 * begins with a blank: " Replayed against the same settings plus ..."
 */
/* clang-format off */

/* ---- around the handshake ---- */
FAULT(TLS_PIPELINED, "TLS-PIPELINED",
	"The peer sent {bytes} behind STARTTLS without waiting for the answer: an attempt to inject commands, or a broken client.",
	"Die Gegenstelle sandte {bytes} hinter STARTTLS, ohne die Antwort abzuwarten: ein Versuch, Befehle einzuschleusen, oder ein defekter Client.",
	"None on this side: what came too early was discarded and the connection closed. If the peer is a partner, its mail software must be updated.",
	"Hier keine: Was zu früh kam, wurde verworfen und die Verbindung geschlossen. Ist die Gegenstelle ein Partner, muss dessen Mailprogramm erneuert werden.")
FAULT(TLS_PLAINTEXT_FALLBACK, "TLS-PLAINTEXT-FALLBACK",
	"The peer came without TLS because its TLS handshake {ago} before had failed ({earlier}: {earlier_cause})",
	"Die Gegenstelle kam ohne TLS, weil ihr TLS-Handshake {ago} zuvor gescheitert war ({earlier}: {earlier_cause})",
	"Lift the cause of that handshake: {earlier_remedy}",
	"Die Ursache jenes Handshakes beheben: {earlier_remedy}")
FAULT(TLS_NOT_OFFERED, "TLS-NOT-OFFERED",
	"The server does not offer STARTTLS, or refused it; it said: {reply}",
	"Der Server bietet STARTTLS nicht an oder lehnte es ab; er sagte: {reply}",
	"Enable TLS on that server; if its words are masked (XXXX), switch off the inspection of SMTP in the firewall between.",
	"TLS auf jenem Server einschalten; sind seine Worte verdeckt (XXXX), die SMTP-Inspektion in der Firewall dazwischen abschalten.")

/* ---- no TLS ---- */
FAULT(TLS_PLAIN_SMTP, "TLS-PLAIN-SMTP",
	"The peer spoke plain SMTP ({bytes}) on a port where TLS begins at once.",
	"Die Gegenstelle sprach unverschlüsseltes SMTP ({bytes}) auf einem Port, auf dem TLS sofort beginnt.",
	"Let the client use port 25 or 587 with STARTTLS, or set it to implicit TLS for this port.",
	"Den Client Port 25 oder 587 mit STARTTLS benutzen lassen, oder für diesen Port auf implizites TLS stellen.")
FAULT(TLS_PLAIN_AFTER_STARTTLS, "TLS-PLAIN-AFTER-STARTTLS",
	"The peer asked for STARTTLS, was told to begin, and went on in plain SMTP ({bytes}).",
	"Die Gegenstelle verlangte STARTTLS, durfte beginnen, und sprach unverschlüsseltes SMTP weiter ({bytes}).",
	"None on this side: the client is broken, or a device between has taken STARTTLS for itself (SMTP inspection in a firewall).",
	"Auf dieser Seite keine: Der Client ist defekt, oder ein Gerät dazwischen hat STARTTLS an sich gezogen (SMTP-Inspektion in einer Firewall).")
FAULT(TLS_SERVER_SPEAKS_FIRST, "TLS-SERVER-SPEAKS-FIRST",
	"The server does not speak TLS on this port; it greets in plain text: {bytes}.",
	"Der Server spricht auf diesem Port kein TLS; er grüßt im Klartext: {bytes}.",
	"Use STARTTLS there, or the port with implicit TLS.",
	"Dort STARTTLS benutzen, oder den Port mit implizitem TLS.")
FAULT(TLS_SERVER_PLAIN_AFTER_STARTTLS, "TLS-SERVER-PLAIN-AFTER-STARTTLS",
	"The server agreed to STARTTLS and then went on in plain text: {bytes}.",
	"Der Server willigte in STARTTLS ein und sprach dann im Klartext weiter: {bytes}.",
	"See the server's log: its TLS could not start (certificate, key), or a device between answers in its place.",
	"Im Protokoll des Servers nachsehen: Sein TLS konnte nicht beginnen (Zertifikat, Schlüssel), oder ein Gerät dazwischen antwortet an seiner Stelle.")
FAULT(TLS_HTTP, "TLS-HTTP",
	"The peer sent an HTTP request ({bytes}) to a TLS port.",
	"Die Gegenstelle sandte eine HTTP-Anfrage ({bytes}) an einen TLS-Port.",
	"A visitor's link must begin with https://; otherwise it is a scanner, and there is nothing to do.",
	"Der Verweis eines Besuchers muss mit https:// beginnen; sonst ist es ein Scanner, und es ist nichts zu tun.")
FAULT(TLS_PROXY_HEADER, "TLS-PROXY-HEADER",
	"The peer sent a PROXY header before TLS, and its address is not listed as a proxy.",
	"Die Gegenstelle sandte vor TLS einen PROXY-Header, und ihre Adresse ist nicht als Proxy eingetragen.",
	"If it is your load balancer, list its address under proxy_from; else nothing.",
	"Ist es Ihr Load-Balancer, seine Adresse unter proxy_from eintragen; sonst nichts.")
FAULT(TLS_SSH, "TLS-SSH",
	"The peer spoke SSH on a TLS port; it sent {bytes}.",
	"Die Gegenstelle sprach auf einem TLS-Port SSH; sie sandte {bytes}.",
	"None: somebody looks for SSH servers, or has the wrong port.",
	"Keine: Jemand sucht SSH-Server oder hat den falschen Port.")
FAULT(TLS_NOT_TLS, "TLS-NOT-TLS",
	"The peer did not speak TLS {where}; it sent {bytes}.",
	"Die Gegenstelle sprach {where} kein TLS; sie sandte {bytes}.",
	"None if it is a scanner; otherwise set the peer to TLS.",
	"Keine, wenn es ein Scanner ist; sonst die Gegenstelle auf TLS stellen.")

/* ---- broken, gone, silent ---- */
FAULT(TLS_RECORD_TOO_LARGE, "TLS-RECORD-TOO-LARGE",
	"The peer sent a TLS record longer than the protocol allows ({bytes}): not TLS, or broken.",
	"Die Gegenstelle sandte einen längeren TLS-Record, als das Protokoll erlaubt ({bytes}): kein TLS, oder defekt.",
	"None on this side.",
	"Auf dieser Seite keine.")
FAULT(TLS_UNEXPECTED_MESSAGE, "TLS-UNEXPECTED-MESSAGE",
	"The peer began with {what} instead of a ClientHello: it gave up before it started, or is broken.",
	"Die Gegenstelle begann mit {what} statt mit einem ClientHello: Sie gab auf, bevor sie anfing, oder ist defekt.",
	"None on this side; a partner should look into its own log.",
	"Auf dieser Seite keine; ein Partner sollte in sein eigenes Protokoll sehen.")
FAULT(TLS_HELLO_TOO_LARGE, "TLS-HELLO-TOO-LARGE",
	"The peer's ClientHello is not complete after {bytes} bytes; no program sends one of that size in earnest.",
	"Das ClientHello der Gegenstelle ist nach {bytes} Bytes noch nicht vollständig; so große sendet im Ernst kein Programm.",
	"None on this side: an attack, or a broken TLS library there.",
	"Auf dieser Seite keine: ein Angriff, oder dort eine defekte TLS-Bibliothek.")
FAULT(TLS_HELLO_MALFORMED, "TLS-HELLO-MALFORMED",
	"The peer's ClientHello is malformed: {error}.",
	"Das ClientHello der Gegenstelle ist fehlerhaft: {error}.",
	"None on this side: a fuzzer, or a broken TLS library there.",
	"Auf dieser Seite keine: ein Fuzzer, oder dort eine defekte TLS-Bibliothek.")
FAULT(TLS_PEER_LEFT, "TLS-PEER-LEFT",
	"The peer left {when} ({count} bytes came).",
	"Die Gegenstelle ging, {when} ({count} Bytes kamen).",
	"None: monitors, port scans and health checks do that.",
	"Keine: Überwachung, Portscans und Health-Checks tun das.")
FAULT(TLS_SILENCE, "TLS-SILENCE",
	"Nothing, or less than a ClientHello, came in time ({count} bytes).",
	"Nichts, oder weniger als ein ClientHello, kam rechtzeitig ({count} Bytes).",
	"None if it is rare; otherwise a device on the way swallows TLS or large packets: check the path MTU, let the peer try without post-quantum key shares.",
	"Keine, wenn es selten ist; sonst verschluckt ein Gerät unterwegs TLS oder große Pakete: Path MTU prüfen, die Gegenstelle ohne Post-Quanten-Verfahren versuchen lassen.")
FAULT(TLS_RESET, "TLS-RESET",
	"The connection was reset after the ClientHello, before our answer was complete.",
	"Die Verbindung wurde nach dem ClientHello zurückgesetzt, bevor unsere Antwort vollständig war.",
	"A firewall or an overloaded host does that: look at what lies between, and whether a smaller ClientHello gets through.",
	"Das tut eine Firewall oder ein überlasteter Host: nachsehen, was dazwischen liegt, und ob ein kleineres ClientHello durchkommt.")

/* ---- versions ---- */
FAULT(TLS_PEER_SSL2, "TLS-PEER-SSL2",
	"The peer speaks only SSL 2 (1995), which nobody answers any more.",
	"Die Gegenstelle spricht nur SSL 2 (1995), worauf niemand mehr antwortet.",
	"The peer must be updated.",
	"Die Gegenstelle muss erneuert werden.")
FAULT(TLS_HELLO_V2, "TLS-HELLO-V2",
	"The peer sent its {version} hello in the form of SSL 2: a very old OpenSSL or Java.",
	"Die Gegenstelle sandte ihr {version}-Hello in der Form von SSL 2: ein sehr altes OpenSSL oder Java.",
	"The peer must be updated; until then mail from it comes without TLS, if at all.",
	"Die Gegenstelle muss erneuert werden; bis dahin kommt Mail von ihr ohne TLS, wenn überhaupt.")
FAULT(TLS_PEER_SSL3, "TLS-PEER-SSL3",
	"The peer speaks at most SSL 3 (1996).",
	"Die Gegenstelle spricht höchstens SSL 3 (1996).",
	"The peer must be updated.",
	"Die Gegenstelle muss erneuert werden.")
FAULT(TLS_PEER_DRAFT, "TLS-PEER-DRAFT",
	"The peer announces only drafts of TLS 1.3 or versions that do not exist ({theirs}).",
	"Die Gegenstelle nennt nur Entwürfe von TLS 1.3 oder Versionen, die es nicht gibt ({theirs}).",
	"The peer must be updated.",
	"Die Gegenstelle muss erneuert werden.")
FAULT(TLS_FALLBACK_SCSV, "TLS-FALLBACK-SCSV",
	"The peer retried with {version} only, after an earlier attempt with a higher version had failed.",
	"Die Gegenstelle versuchte es nur noch mit {version}, nachdem ein früherer Versuch mit einer höheren Version gescheitert war.",
	"See why its connection before this one failed, and lift that cause: this refusal protects against forced downgrades.{earlier}",
	"Nachsehen, warum ihre Verbindung davor scheiterte, und das beheben: Diese Ablehnung schützt vor erzwungenem Rückfall.{earlier}")
FAULT(TLS_PEER_TOO_OLD, "TLS-PEER-TOO-OLD",
	"The peer speaks at most {version}; this server begins at {ours}.",
	"Die Gegenstelle spricht höchstens {version}; dieser Server beginnt bei {ours}.",
	"The peer must be updated: {version} has been obsolete since 2021 (RFC 8996).{proof}",
	"Die Gegenstelle muss erneuert werden: {version} ist seit 2021 überholt (RFC 8996).{proof}")
FAULT(TLS_PEER_NEEDS_13, "TLS-PEER-NEEDS-13",
	"The peer insists on TLS 1.3; this server goes up to {ours} only.",
	"Die Gegenstelle besteht auf TLS 1.3; dieser Server geht nur bis {ours}.",
	"Enable TLS 1.3.{proof}",
	"TLS 1.3 einschalten.{proof}")
FAULT(TLS_ONLY_13_ALLOWED, "TLS-ONLY-13-ALLOWED",
	"This server allows TLS 1.3 only; the peer speaks at most {version}.",
	"Dieser Server erlaubt nur TLS 1.3; die Gegenstelle spricht höchstens {version}.",
	"Allow TLS 1.2, too.{proof}",
	"Auch TLS 1.2 erlauben.{proof}")
FAULT(TLS_LEVEL_FORBIDS_OLD, "TLS-LEVEL-FORBIDS-OLD",
	"The peer speaks at most {version}, which is allowed here by version but needs MD5 and SHA-1, which security level {level} forbids.",
	"Die Gegenstelle spricht höchstens {version}; das ist hier der Version nach erlaubt, braucht aber MD5 und SHA-1, was die Sicherheitsstufe {level} verbietet.",
	"Raise the lowest version to TLS 1.2, so that the refusal is an honest one, and have the peer updated.{proof}",
	"Die niedrigste Version auf TLS 1.2 anheben, damit die Ablehnung ehrlich ist, und die Gegenstelle erneuern lassen.{proof}")

/* ---- name and protocol ---- */
FAULT(TLS_NAME_REFUSED, "TLS-NAME-REFUSED",
	"The peer asked for the name {name}, and that was refused as unknown.",
	"Die Gegenstelle verlangte den Namen {name}, und er wurde als unbekannt abgelehnt.",
	"Serve the default certificate to those who ask for other names; never refuse by name for mail.",
	"Wer andere Namen verlangt, sollte das Standardzertifikat bekommen; bei Mail nie des Namens wegen ablehnen.")
FAULT(TLS_NO_ALPN, "TLS-NO-ALPN",
	"The two sides have no application protocol in common (ALPN): the peer offered {theirs}, spoken here are {ours}.",
	"Beide Seiten haben kein Anwendungsprotokoll gemeinsam (ALPN): Die Gegenstelle bot {theirs} an, gesprochen wird hier {ours}.",
	"The peer has the wrong port, or somebody sends its requests to another server than it meant; a program of yours should offer the protocol it speaks, or none.",
	"Die Gegenstelle hat den falschen Port, oder jemand leitet ihre Anfragen an einen anderen Server, als sie meint; ein eigenes Programm sollte das Protokoll anbieten, das es spricht, oder keines.")
FAULT(TLS_HELLO_INCOMPLETE_13, "TLS-HELLO-INCOMPLETE-13",
	"The peer's ClientHello asks for TLS 1.3 but lacks {missing}.",
	"Das ClientHello der Gegenstelle verlangt TLS 1.3, es fehlt darin aber {missing}.",
	"The peer's TLS library is broken and must be updated.",
	"Die TLS-Bibliothek der Gegenstelle ist defekt und muss erneuert werden.")

/* ---- our certificates against what the peer can verify ---- */
FAULT(TLS_NO_CERT, "TLS-NO-CERT",
	"This server has no usable certificate at all, so no handshake can succeed.",
	"Dieser Server hat überhaupt kein brauchbares Zertifikat; so kann kein Handshake gelingen.",
	"Put certificate and key into a certificate folder; `torhaus cert check` says what is wrong with those that lie there.{proof}",
	"Zertifikat und Schlüssel in einen Zertifikatsordner legen; `torhaus cert check` sagt, was den dort liegenden fehlt.{proof}")
FAULT(TLS_PAIR_MISMATCHED, "TLS-PAIR-MISMATCHED",
	"The {type} certificate that this peer needs lies in {file}, but its key does not belong to it, so it is not served.",
	"Das {type}-Zertifikat, das diese Gegenstelle braucht, liegt in {file}, aber sein Schlüssel gehört nicht dazu; darum wird es nicht ausgeliefert.",
	"Deploy certificate and key together.{proof}",
	"Zertifikat und Schlüssel gemeinsam ausrollen.{proof}")
FAULT(TLS_PAIR_SMALL_KEY, "TLS-PAIR-SMALL-KEY",
	"The {type} certificate that this peer needs lies in {file}, but its key of {bits} bits is too small, so it is not served.",
	"Das {type}-Zertifikat, das diese Gegenstelle braucht, liegt in {file}, aber sein Schlüssel ist mit {bits} Bit zu klein; darum wird es nicht ausgeliefert.",
	"Have it reissued with RSA of 2048 bits or more, or ECDSA P-256.{proof}",
	"Neu ausstellen lassen mit RSA ab 2048 Bit oder ECDSA P-256.{proof}")
FAULT(TLS_PAIR_WEAK_SIGNATURE, "TLS-PAIR-WEAK-SIGNATURE",
	"The {type} certificate that this peer needs lies in {file}, but it is signed with SHA-1 or weaker, so it is not served.",
	"Das {type}-Zertifikat, das diese Gegenstelle braucht, liegt in {file}, ist aber mit SHA-1 oder schwächer signiert; darum wird es nicht ausgeliefert.",
	"Have it reissued.{proof}",
	"Neu ausstellen lassen.{proof}")
FAULT(TLS_PAIR_KEY_MISSING, "TLS-PAIR-KEY-MISSING",
	"The {type} certificate that this peer needs lies in {file}, but its key could not be read (missing, unreadable or protected by a passphrase).",
	"Das {type}-Zertifikat, das diese Gegenstelle braucht, liegt in {file}, aber sein Schlüssel war nicht lesbar (er fehlt, ist gesperrt oder mit einer Passphrase geschützt).",
	"Put the key beside it, without a passphrase, readable for torhaus.{proof}",
	"Den Schlüssel daneben legen, ohne Passphrase und für torhaus lesbar.{proof}")
FAULT(TLS_PAIR_KEY_USAGE, "TLS-PAIR-KEY-USAGE",
	"The {type} certificate that this peer needs lies in {file}, but its key usage forbids signing, so it is not served (with TLS 1.2 nobody could use it).",
	"Das {type}-Zertifikat, das diese Gegenstelle braucht, liegt in {file}, aber seine Key Usage verbietet das Signieren; darum wird es nicht ausgeliefert (mit TLS 1.2 könnte es niemand benutzen).",
	"Have it reissued for a TLS server (digitalSignature).{proof}",
	"Für einen TLS-Server neu ausstellen lassen (digitalSignature).{proof}")
FAULT(TLS_PAIR_RSA_PSS, "TLS-PAIR-RSA-PSS",
	"The certificate in {file} has a key of the rare type RSA-PSS, which hardly any peer can verify, so it is not served.",
	"Das Zertifikat in {file} hat einen Schlüssel der seltenen Art RSA-PSS, die kaum eine Gegenstelle prüfen kann; darum wird es nicht ausgeliefert.",
	"Have it reissued for an ordinary RSA key.{proof}",
	"Für einen gewöhnlichen RSA-Schlüssel neu ausstellen lassen.{proof}")
FAULT(TLS_NO_RSA_CERT, "TLS-NO-RSA-CERT",
	"The peer can only verify RSA certificates ({count} suites offered, all with RSA authentication, {version} at most); this server has only an {served} certificate for {name}.",
	"Die Gegenstelle kann nur RSA-Zertifikate prüfen ({count} Suiten angeboten, alle mit RSA-Authentifizierung, höchstens {version}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an RSA certificate beside the {served} one.{proof}",
	"Ein RSA-Zertifikat neben dem {served}-Zertifikat ausliefern.{proof}")
FAULT(TLS_NO_ECDSA_CERT, "TLS-NO-ECDSA-CERT",
	"The peer can only verify ECDSA certificates ({count} suites offered, all with ECDSA authentication, {version} at most); this server has only an {served} certificate for {name}.",
	"Die Gegenstelle kann nur ECDSA-Zertifikate prüfen ({count} Suiten angeboten, alle mit ECDSA-Authentifizierung, höchstens {version}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an ECDSA certificate (P-256) beside the {served} one.{proof}",
	"Ein ECDSA-Zertifikat (P-256) neben dem {served}-Zertifikat ausliefern.{proof}")
FAULT(TLS_SIGNATURES_RSA_ONLY, "TLS-SIGNATURES-RSA-ONLY",
	"With TLS 1.3 the peer verifies only RSA signatures ({theirs}); this server has only an {served} certificate for {name}.",
	"Mit TLS 1.3 prüft die Gegenstelle nur RSA-Signaturen ({theirs}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an RSA certificate beside the {served} one.{proof}",
	"Ein RSA-Zertifikat neben dem {served}-Zertifikat ausliefern.{proof}")
FAULT(TLS_SIGNATURES_ECDSA_ONLY, "TLS-SIGNATURES-ECDSA-ONLY",
	"With TLS 1.3 the peer verifies only ECDSA signatures ({theirs}); this server has only an {served} certificate for {name}.",
	"Mit TLS 1.3 prüft die Gegenstelle nur ECDSA-Signaturen ({theirs}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an ECDSA certificate (P-256) beside the {served} one.{proof}",
	"Ein ECDSA-Zertifikat (P-256) neben dem {served}-Zertifikat ausliefern.{proof}")
FAULT(TLS_NO_ECDSA_SIGNATURE, "TLS-NO-ECDSA-SIGNATURE",
	"The peer offers suites with ECDSA authentication but no ECDSA signature algorithm ({theirs}); this server has only an {served} certificate for {name}.",
	"Die Gegenstelle bietet Suiten mit ECDSA-Authentifizierung an, aber kein ECDSA-Signaturverfahren ({theirs}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an RSA certificate beside the {served} one.{proof}",
	"Ein RSA-Zertifikat neben dem {served}-Zertifikat ausliefern.{proof}")
FAULT(TLS_NO_RSA_SIGNATURE, "TLS-NO-RSA-SIGNATURE",
	"The peer contradicts itself: it offers suites with RSA authentication but only ECDSA signature algorithms ({theirs}); this server has only an {served} certificate for {name}.",
	"Die Gegenstelle widerspricht sich: Sie bietet Suiten mit RSA-Authentifizierung an, aber nur ECDSA-Signaturverfahren ({theirs}); dieser Server hat für {name} nur ein {served}-Zertifikat.",
	"Serve an ECDSA certificate (P-256) beside the {served} one, and tell the peer.{proof}",
	"Ein ECDSA-Zertifikat (P-256) neben dem {served}-Zertifikat ausliefern, und der Gegenstelle Bescheid geben.{proof}")
FAULT(TLS_CERT_CURVE, "TLS-CERT-CURVE",
	"The curve of the ECDSA certificate for {name}, {ours}, is not among those that the peer knows ({theirs}).",
	"Die Kurve des ECDSA-Zertifikats für {name}, {ours}, ist nicht unter denen, die die Gegenstelle kennt ({theirs}).",
	"Have it reissued on P-256, or serve an RSA certificate beside it.{proof}",
	"Auf P-256 neu ausstellen lassen, oder ein RSA-Zertifikat daneben ausliefern.{proof}")
FAULT(TLS_CERT_CURVE_SIGNATURE, "TLS-CERT-CURVE-SIGNATURE",
	"With TLS 1.3 the peer cannot verify signatures of {ours}, the curve of the ECDSA certificate for {name} (it verifies {theirs}).",
	"Mit TLS 1.3 kann die Gegenstelle keine Signaturen mit {ours} prüfen, der Kurve des ECDSA-Zertifikats für {name} (sie prüft {theirs}).",
	"Have it reissued on P-256, or serve an RSA certificate beside it.{proof}",
	"Auf P-256 neu ausstellen lassen, oder ein RSA-Zertifikat daneben ausliefern.{proof}")
FAULT(TLS_CERT_ED25519, "TLS-CERT-ED25519",
	"The certificate for {name} has an Ed25519 key, which this peer, like hardly any other, cannot verify (it verifies {theirs}).",
	"Das Zertifikat für {name} hat einen Ed25519-Schlüssel, den diese Gegenstelle wie fast alle nicht prüfen kann (sie prüft {theirs}).",
	"Serve certificates with ECDSA P-256 and RSA keys.{proof}",
	"Zertifikate mit ECDSA-P-256- und RSA-Schlüssel ausliefern.{proof}")
FAULT(TLS_PEER_SHA1_ONLY, "TLS-PEER-SHA1-ONLY",
	"The peer can verify only signatures with SHA-1 or weaker ({theirs}), which are not made here any more.",
	"Die Gegenstelle kann nur Signaturen mit SHA-1 oder schwächer prüfen ({theirs}), die hier nicht mehr erzeugt werden.",
	"The peer must be updated.{proof}",
	"Die Gegenstelle muss erneuert werden.{proof}")
FAULT(TLS_NO_SIGNATURES, "TLS-NO-SIGNATURES",
	"The peer's TLS 1.2 hello names no signature algorithms, which means SHA-1, and that is not made here any more.",
	"Das TLS-1.2-Hello der Gegenstelle nennt keine Signaturverfahren; das heißt SHA-1, und das wird hier nicht mehr erzeugt.",
	"The peer, a very early TLS 1.2 client, must be updated.{proof}",
	"Die Gegenstelle, ein sehr früher TLS-1.2-Client, muss erneuert werden.{proof}")

FAULT(TLS_SIGNATURES_PKCS1_ONLY, "TLS-SIGNATURES-PKCS1-ONLY",
	"The peer asks for TLS 1.3 but verifies RSA signatures only in the old form ({theirs}), with which TLS 1.3 is not signed (RFC 8446 4.2.3): no certificate can serve it.",
	"Die Gegenstelle verlangt TLS 1.3, prüft RSA-Signaturen aber nur in der alten Form ({theirs}), mit der TLS 1.3 nicht signiert wird (RFC 8446 4.2.3): Kein Zertifikat kann sie bedienen.",
	"The peer must allow RSA-PSS (rsa_pss_rsae_sha256) or ECDSA, or be set to TLS 1.2.",
	"Die Gegenstelle muss RSA-PSS (rsa_pss_rsae_sha256) oder ECDSA zulassen oder auf TLS 1.2 gestellt werden.")
FAULT(TLS_SIGNATURES_ML_DSA_ONLY, "TLS-SIGNATURES-ML-DSA-ONLY",
	"With {version} the peer verifies only post-quantum signatures ({theirs}), which the OpenSSL here ({openssl}) cannot make: they came with 3.5, and no public CA issues such certificates.",
	"Mit {version} prüft die Gegenstelle nur Post-Quanten-Signaturen ({theirs}), die das OpenSSL hier ({openssl}) nicht erzeugen kann: Sie kamen mit 3.5, und keine öffentliche CA stellt solche Zertifikate aus.",
	"The peer should allow ECDSA or RSA-PSS beside them, as browsers do.",
	"Die Gegenstelle sollte daneben ECDSA oder RSA-PSS zulassen, wie es Browser tun.")
FAULT(TLS_SIGNATURES_DSS_ONLY, "TLS-SIGNATURES-DSS-ONLY",
	"With {version} the peer verifies only DSS signatures ({theirs}), which TLS has given up.",
	"Mit {version} prüft die Gegenstelle nur DSS-Signaturen ({theirs}), die TLS aufgegeben hat.",
	"The peer must be updated, or allow RSA or ECDSA.",
	"Die Gegenstelle muss erneuert werden oder RSA oder ECDSA zulassen.")
FAULT(TLS_SIGNATURES_UNUSABLE, "TLS-SIGNATURES-UNUSABLE",
	"With {version} the peer verifies only {theirs}, for which there is no certificate here, nor would CAs issue one.",
	"Mit {version} prüft die Gegenstelle nur {theirs}; dafür gibt es hier kein Zertifikat, und CAs würden keines ausstellen.",
	"The peer should allow ecdsa_secp256r1_sha256 or rsa_pss_rsae_sha256, which everybody has.",
	"Die Gegenstelle sollte ecdsa_secp256r1_sha256 oder rsa_pss_rsae_sha256 zulassen, die alle haben.")

/* ---- groups and suites ---- */
FAULT(TLS_GROUPS_POST_QUANTUM, "TLS-GROUPS-POST-QUANTUM",
	"The peer knows only post-quantum groups for the key exchange ({theirs}); the OpenSSL here ({openssl}) has none of them, they came with 3.5.",
	"Die Gegenstelle kennt für den Schlüsselaustausch nur Post-Quanten-Gruppen ({theirs}); das OpenSSL hier ({openssl}) hat keine davon, sie kamen mit 3.5.",
	"The peer should allow X25519 or P-256 beside them, as browsers do.",
	"Die Gegenstelle sollte daneben X25519 oder P-256 zulassen, wie es Browser tun.")
FAULT(TLS_GROUPS_DISJOINT, "TLS-GROUPS-DISJOINT",
	"The suites match, but no curve for the key exchange is common: the peer has {theirs}, this server {ours}.",
	"Die Suiten passen, aber keine Kurve für den Schlüsselaustausch ist gemeinsam: Die Gegenstelle hat {theirs}, dieser Server {ours}.",
	"The peer should allow P-256 or X25519, as everybody does.{proof}",
	"Die Gegenstelle sollte P-256 oder X25519 erlauben, wie alle es tun.{proof}")
FAULT(TLS_GROUPS_DISJOINT_13, "TLS-GROUPS-DISJOINT-13",
	"With TLS 1.3 no group for the key exchange is common: the peer has {theirs}, this server {ours}.",
	"Mit TLS 1.3 ist keine Gruppe für den Schlüsselaustausch gemeinsam: Die Gegenstelle hat {theirs}, dieser Server {ours}.",
	"The peer should allow P-256 or X25519, as everybody does.{proof}",
	"Die Gegenstelle sollte P-256 oder X25519 erlauben, wie alle es tun.{proof}")
FAULT(TLS_NO_DH, "TLS-NO-DH",
	"The peer wants the classic DH key exchange ({suites}), and this server has no parameters for it.",
	"Die Gegenstelle will den klassischen DH-Schlüsselaustausch ({suites}), und dieser Server hat keine Parameter dafür.",
	"The peer should allow ECDHE.{proof}",
	"Die Gegenstelle sollte ECDHE erlauben.{proof}")
FAULT(TLS_PEER_3DES, "TLS-PEER-3DES",
	"Of the ciphers that the peer offers none is newer than 3DES ({suites}), which this OpenSSL does not have any more.",
	"Von den Chiffren, die die Gegenstelle anbietet, ist keine neuer als 3DES ({suites}), und das hat dieses OpenSSL nicht mehr.",
	"The peer must be updated; until then decide whether its mail may come without TLS.",
	"Die Gegenstelle muss erneuert werden; bis dahin entscheiden, ob ihre Mail ohne TLS kommen darf.")
FAULT(TLS_PEER_RC4, "TLS-PEER-RC4",
	"The peer offers only RC4 ({suites}), which is forbidden (RFC 7465).",
	"Die Gegenstelle bietet nur RC4 an ({suites}), und das ist verboten (RFC 7465).",
	"The peer must be updated; until then decide whether its mail may come without TLS.",
	"Die Gegenstelle muss erneuert werden; bis dahin entscheiden, ob ihre Mail ohne TLS kommen darf.")
FAULT(TLS_PEER_EXPORT, "TLS-PEER-EXPORT",
	"The peer offers only the export ciphers of the 1990s ({suites}).",
	"Die Gegenstelle bietet nur die Export-Chiffren der 1990er an ({suites}).",
	"The peer must be updated; until then decide whether its mail may come without TLS.",
	"Die Gegenstelle muss erneuert werden; bis dahin entscheiden, ob ihre Mail ohne TLS kommen darf.")
FAULT(TLS_SUITES_DISJOINT, "TLS-SUITES-DISJOINT",
	"No suite is common: the peer offers {suites}; this server allows {ours}.",
	"Keine Suite ist gemeinsam: Die Gegenstelle bietet {suites} an; dieser Server erlaubt {ours}.",
	"The peer should offer ECDHE with AES-GCM or ChaCha20.{proof}",
	"Die Gegenstelle sollte ECDHE mit AES-GCM oder ChaCha20 anbieten.{proof}")
FAULT(TLS_SUITES_DISJOINT_13, "TLS-SUITES-DISJOINT-13",
	"No suite of TLS 1.3 is common: the peer offers {suites}; this server allows {ours}.",
	"Keine Suite von TLS 1.3 ist gemeinsam: Die Gegenstelle bietet {suites} an; dieser Server erlaubt {ours}.",
	"The peer should offer TLS_AES_128_GCM_SHA256, which every implementation must have (RFC 8446).{proof}",
	"Die Gegenstelle sollte TLS_AES_128_GCM_SHA256 anbieten, das jede Implementierung haben muss (RFC 8446).{proof}")

/* ---- the peer's opinion of our certificate ---- */
FAULT(TLS_CERT_EXPIRED, "TLS-CERT-EXPIRED",
	"The certificate for {name} in {file} expired at {until}{refusal}.",
	"Das Zertifikat für {name} in {file} ist am {until} abgelaufen{refusal}.",
	"Renew it; if a newer one lies on disk, `torhaus cert check` says why it is not served.",
	"Erneuern; liegt ein neueres auf der Platte, sagt `torhaus cert check`, warum es nicht ausgeliefert wird.")
FAULT(TLS_CERT_NOT_YET_VALID, "TLS-CERT-NOT-YET-VALID",
	"The certificate for {name} in {file} is valid from {from} on only{refusal}.",
	"Das Zertifikat für {name} in {file} gilt erst ab {from}{refusal}.",
	"Check the clocks of this machine and of the peer, or wait.",
	"Die Uhren dieser Maschine und der Gegenstelle prüfen, oder warten.")
FAULT(TLS_CERT_SELF_SIGNED, "TLS-CERT-SELF-SIGNED",
	"The certificate for {name} in {file} is self-signed{refusal}.",
	"Das Zertifikat für {name} in {file} ist selbstsigniert{refusal}.",
	"Use one of a public CA, or publish its key by DANE (TLSA 3 1 1).",
	"Eines einer öffentlichen CA verwenden, oder seinen Schlüssel per DANE veröffentlichen (TLSA 3 1 1).")
FAULT(TLS_CERT_NO_CHAIN, "TLS-CERT-NO-CHAIN",
	"The certificate for {name} in {file} is sent without the intermediate certificate of {issuer}{refusal}.",
	"Das Zertifikat für {name} in {file} wird ohne das Zwischenzertifikat von {issuer} gesandt{refusal}.",
	"Use the file with the whole chain (fullchain.pem).",
	"Die Datei mit der ganzen Kette verwenden (fullchain.pem).")
FAULT(TLS_CHAIN_DATE, "TLS-CHAIN-DATE",
	"The certificate for {name} in {file} is sent with that of the issuer {issuer}, which is valid from {from} until {until} only{refusal}.",
	"Das Zertifikat für {name} in {file} wird mit dem des Ausstellers {issuer} gesandt, das nur von {from} bis {until} gilt{refusal}.",
	"Get the chain from the CA as it is now (fullchain.pem), or take that certificate out if the chain is whole without it.",
	"Die Kette, wie sie jetzt ist, von der CA holen (fullchain.pem), oder dieses Zertifikat herausnehmen, wenn die Kette ohne es vollständig ist.")
FAULT(TLS_CHAIN_NO_CA, "TLS-CHAIN-NO-CA",
	"The chain of the certificate for {name} in {file} ends at the issuer {issuer} and reaches none of the CAs that this machine knows{refusal}.",
	"Die Kette des Zertifikats für {name} in {file} endet beim Aussteller {issuer} und erreicht keine CA, die diese Maschine kennt{refusal}.",
	"Serve a certificate of a public CA with its whole chain (fullchain.pem); a CA of your own must be known to every peer.",
	"Ein Zertifikat einer öffentlichen CA mit der ganzen Kette ausliefern (fullchain.pem); eine eigene CA müssen alle Gegenstellen kennen.")
FAULT(TLS_CERT_NOT_FOR_SERVERS, "TLS-CERT-NOT-FOR-SERVERS",
	"The certificate for {name} in {file} is not for servers (extended key usage without serverAuth){refusal}.",
	"Das Zertifikat für {name} in {file} ist nicht für Server (Extended Key Usage ohne serverAuth){refusal}.",
	"Have it reissued for a TLS server.",
	"Für einen TLS-Server neu ausstellen lassen.")
FAULT(TLS_CERT_WEAK, "TLS-CERT-WEAK",
	"The certificate for {name} in {file} has {weakness}{refusal}.",
	"Das Zertifikat für {name} in {file} hat {weakness}{refusal}.",
	"Have it reissued with RSA of 2048 bits or more, or ECDSA P-256, signed with SHA-256.",
	"Neu ausstellen lassen mit RSA ab 2048 Bit oder ECDSA P-256, signiert mit SHA-256.")
FAULT(TLS_CERT_WEAK_FOR_PEER, "TLS-CERT-WEAK-FOR-PEER",
	"The certificate for {name} in {file} has {weakness}, which by the usual measure is enough but not by the peer's ({alert}).",
	"Das Zertifikat für {name} in {file} hat {weakness}; nach üblichem Maß reicht das, nach dem der Gegenstelle nicht ({alert}).",
	"If the peer matters, serve {stronger}; it demands 128 bits of security (OpenSSL's level 3).",
	"Ist die Gegenstelle wichtig, {stronger} ausliefern; sie verlangt 128 Bit Sicherheit (Stufe 3 von OpenSSL).")
FAULT(TLS_CERT_NAME, "TLS-CERT-NAME",
	"The certificate in {file} is for {names}, not for {name}{refusal}.",
	"Das Zertifikat in {file} ist für {names}, nicht für {name}{refusal}.",
	"Have one issued that names what the peer connects to (the MX name, for mail).",
	"Eines ausstellen lassen, das nennt, womit sich die Gegenstelle verbindet (bei Mail den MX-Namen).")
FAULT(TLS_MUST_STAPLE, "TLS-MUST-STAPLE",
	"The certificate for {name} in {file} demands OCSP stapling (must-staple), and there is no response to send{refusal}.",
	"Das Zertifikat für {name} in {file} verlangt OCSP-Stapling (must-staple), und es gibt keine Antwort zum Mitsenden{refusal}.",
	"Have it reissued without must-staple, or keep a fresh OCSP response beside it (NAME.ocsp).",
	"Ohne must-staple neu ausstellen lassen, oder eine frische OCSP-Antwort daneben legen (NAME.ocsp).")
FAULT(TLS_DANE_MISMATCH, "TLS-DANE-MISMATCH",
	"The TLSA record of {name} does not match the certificate that is served ({file}){refusal}.",
	"Der TLSA-Eintrag von {name} passt nicht zum ausgelieferten Zertifikat ({file}){refusal}.",
	"Publish the new TLSA record now; the next time two TTLs before the key changes.",
	"Den neuen TLSA-Eintrag jetzt veröffentlichen; beim nächsten Mal zwei TTL vor dem Schlüsselwechsel.")
FAULT(TLS_CERT_REVOKED, "TLS-CERT-REVOKED",
	"The peer says that {issuer} has revoked the certificate for {name} in {file} ({alert}).",
	"Die Gegenstelle sagt, {issuer} habe das Zertifikat für {name} in {file} gesperrt ({alert}).",
	"Ask the CA, or its OCSP responder or list; if it is revoked, have a new one issued for a new key.",
	"Bei der CA, ihrem OCSP-Dienst oder ihrer Sperrliste nachfragen; ist es gesperrt, ein neues für einen neuen Schlüssel ausstellen lassen.")
FAULT(TLS_DH_TOO_LARGE, "TLS-DH-TOO-LARGE",
	"The peer broke off at the classic DH key exchange ({suite}, {group} bits; {alert}): Java up to 7 and others of that age take 1024 bits at most.",
	"Die Gegenstelle brach beim klassischen DH-Schlüsselaustausch ab ({suite}, {group} Bit; {alert}): Java bis 7 und andere dieses Alters nehmen höchstens 1024 Bit.",
	"The peer must be updated; until then let it offer ECDHE, or RSA key exchange alone.",
	"Die Gegenstelle muss erneuert werden; bis dahin sollte sie ECDHE oder allein RSA-Schlüsselaustausch anbieten.")
FAULT(TLS_MTA_STS, "TLS-MTA-STS",
	"The peer refused the certificate for {name} ({alert}), and the domain's MTA-STS policy obliges it to do so when name or CA do not fit.",
	"Die Gegenstelle lehnte das Zertifikat für {name} ab ({alert}), und die MTA-STS-Richtlinie der Domain verpflichtet sie dazu, wenn Name oder CA nicht passen.",
	"Compare the policy's mx lines with the MX records and the certificate's names, and serve a certificate of a public CA.",
	"Die mx-Zeilen der Richtlinie mit den MX-Einträgen und den Namen des Zertifikats vergleichen, und ein Zertifikat einer öffentlichen CA ausliefern.")
FAULT(TLS_CHAIN_TOO_LARGE, "TLS-CHAIN-TOO-LARGE",
	"The peer refused the handshake when it got the certificates for {name} ({alert}); they have {count} bytes, more than some clients take.",
	"Die Gegenstelle brach ab, als sie die Zertifikate für {name} bekam ({alert}); sie haben {count} Bytes, mehr als manche Clients annehmen.",
	"Shorten the chain: no root, no needless cross certificate, fewer names.",
	"Die Kette kürzen: keine Wurzel, kein unnötiges Cross-Zertifikat, weniger Namen.")
FAULT(TLS_CERT_CA_UNKNOWN, "TLS-CERT-CA-UNKNOWN",
	"The peer does not know the CA {issuer} of the certificate for {name} ({alert}), or knows an expired root of it only.",
	"Die Gegenstelle kennt die CA {issuer} des Zertifikats für {name} nicht ({alert}), oder nur eine abgelaufene Wurzel davon.",
	"Serve a certificate of a public CA, with its alternative chain if it has one; the peer should update its roots.",
	"Ein Zertifikat einer öffentlichen CA ausliefern, gegebenenfalls mit deren alternativer Kette; die Gegenstelle sollte ihre Wurzelzertifikate erneuern.")
FAULT(TLS_CERT_REFUSED, "TLS-CERT-REFUSED",
	"The peer refused the certificate for {name} in {file} ({alert}), in which nothing is wrong by itself: it expects another name, or applies rules of its own.",
	"Die Gegenstelle lehnte das Zertifikat für {name} in {file} ab ({alert}), an dem für sich nichts falsch ist: Sie erwartet einen anderen Namen oder hat eigene Regeln.",
	"Ask the peer what its log says; compare the names with the MX record, and with TLSA records if there are any.",
	"Die Gegenstelle fragen, was ihr Protokoll sagt; die Namen mit dem MX-Eintrag vergleichen, und mit TLSA-Einträgen, falls es welche gibt.")
FAULT(TLS_PEER_LEFT_AT_CERT, "TLS-PEER-LEFT-AT-CERT",
	"The peer closed when it had seen our answer with the certificate for {name}, without saying why ({alert}; chosen were {suite} and the group {group}); Java and others close so whatever they dislike.",
	"Die Gegenstelle schloss, als sie unsere Antwort mit dem Zertifikat für {name} gesehen hatte, ohne zu sagen, warum ({alert}; gewählt waren {suite} und die Gruppe {group}); Java und andere schließen so, was immer ihnen missfällt.",
	"Check chain, names and dates (`torhaus cert check`), and TLSA records if there are any; ask the peer what its log says.",
	"Kette, Namen und Daten prüfen (`torhaus cert check`), auch TLSA-Einträge, falls es welche gibt; die Gegenstelle fragen, was ihr Protokoll sagt.")

FAULT(TLS_PEER_BROKE_OFF, "TLS-PEER-BROKE-OFF",
	"The peer broke off when it had our answer ({alert}; chosen were {suite} and the group {group}); nothing that is known here explains it.",
	"Die Gegenstelle brach ab, als sie unsere Antwort hatte ({alert}; gewählt waren {suite} und die Gruppe {group}); nichts, was hier bekannt ist, erklärt es.",
	"Ask the peer what its log says; suite and group may be ones that it offers and cannot do.",
	"Die Gegenstelle fragen, was ihr Protokoll sagt; vielleicht bietet sie Suite oder Gruppe an, ohne sie zu beherrschen.")

/* ---- certificates of clients, records ---- */
FAULT(TLS_CLIENT_CERT_MISSING, "TLS-CLIENT-CERT-MISSING",
	"A client certificate is demanded, and the peer has none.",
	"Es wird ein Client-Zertifikat verlangt, und die Gegenstelle hat keines.",
	"Mail servers rarely have one: ask for it without demanding it.",
	"Mailserver haben selten eines: darum bitten, ohne es zu verlangen.")
FAULT(TLS_CLIENT_CERT_EXPIRED, "TLS-CLIENT-CERT-EXPIRED",
	"The peer's client certificate is out of date ({error}).",
	"Das Client-Zertifikat der Gegenstelle ist nicht mehr gültig ({error}).",
	"The peer must renew it, or send none; for mail better do not verify client certificates at all.",
	"Die Gegenstelle muss es erneuern oder keines schicken; bei Mail Client-Zertifikate besser gar nicht prüfen.")
FAULT(TLS_CLIENT_CERT_EARLY, "TLS-CLIENT-CERT-EARLY",
	"The peer's client certificate is not valid yet ({error}): it comes from the future, or the clock here is slow.",
	"Das Client-Zertifikat der Gegenstelle gilt noch nicht ({error}): Es kommt aus der Zukunft, oder die Uhr hier geht nach.",
	"Compare this machine's clock with `timedatectl`; if that is right, the peer must wait or use its old certificate.",
	"Die Uhr dieser Maschine mit `timedatectl` vergleichen; stimmt sie, muss die Gegenstelle warten oder ihr altes Zertifikat nehmen.")
FAULT(TLS_CLIENT_CERT_PURPOSE, "TLS-CLIENT-CERT-PURPOSE",
	"The peer's client certificate is made for servers only, not for clients ({error}); public CAs such as Let's Encrypt issue no others any more.",
	"Das Client-Zertifikat der Gegenstelle ist nur für Server ausgestellt, nicht für Clients ({error}); öffentliche CAs wie Let's Encrypt stellen keine anderen mehr aus.",
	"Do not verify client certificates for mail, or accept those made for servers.",
	"Bei Mail Client-Zertifikate nicht prüfen, oder solche für Server annehmen.")
FAULT(TLS_CLIENT_CERT_BAD, "TLS-CLIENT-CERT-BAD",
	"The peer's client certificate was refused: {error}.",
	"Das Client-Zertifikat der Gegenstelle wurde abgelehnt: {error}.",
	"Do not verify client certificates for mail; or add the peer's CA, with its intermediates, to those that are trusted for clients.",
	"Bei Mail Client-Zertifikate nicht prüfen; oder die CA der Gegenstelle samt Zwischenzertifikaten zu denen nehmen, denen für Clients vertraut wird.")
FAULT(TLS_RECORD_CORRUPT, "TLS-RECORD-CORRUPT",
	"A record could not be decrypted ({error}): it was changed on the way, or one side uses wrong keys.",
	"Ein Record war nicht zu entschlüsseln ({error}): Er wurde unterwegs verändert, oder eine Seite benutzt falsche Schlüssel.",
	"Look for a device between that rewrites TLS, or a faulty network card.",
	"Nach einem Gerät dazwischen suchen, das TLS umschreibt, oder nach einer defekten Netzwerkkarte.")

/* ---- we are the client ---- */
FAULT(TLS_DH_TOO_SMALL, "TLS-DH-TOO-SMALL",
	"The server offers a classic DH group that is too small to be safe.",
	"Der Server bietet eine klassische DH-Gruppe an, die zu klein ist, um sicher zu sein.",
	"The server should use ECDHE, or DH of 2048 bits.",
	"Der Server sollte ECDHE benutzen, oder DH mit 2048 Bit.")
FAULT(TLS_SERVER_CHAIN_TOO_LARGE, "TLS-SERVER-CHAIN-TOO-LARGE",
	"The server's Certificate message is larger than torhaus's TLS library takes (100 KiB).",
	"Die Certificate-Nachricht des Servers ist größer, als die TLS-Bibliothek von torhaus annimmt (100 KiB).",
	"The server must send a shorter chain: its own certificate and the intermediates, once each.",
	"Der Server muss eine kürzere Kette senden: sein Zertifikat und die Zwischenzertifikate, je einmal.")
FAULT(TLS_NO_SECURE_RENEGOTIATION, "TLS-NO-SECURE-RENEGOTIATION",
	"The server lacks secure renegotiation (RFC 5746), without which OpenSSL 3 does not go on.",
	"Dem Server fehlt die sichere Neuverhandlung (RFC 5746), ohne die OpenSSL 3 nicht weitermacht.",
	"The server must be updated.",
	"Der Server muss erneuert werden.")
FAULT(TLS_SUITE_NOT_OFFERED, "TLS-SUITE-NOT-OFFERED",
	"The server chose a suite that was not offered to it.",
	"Der Server wählte eine Suite, die ihm nicht angeboten worden war.",
	"The server's TLS library, or a device before it, is broken.",
	"Die TLS-Bibliothek des Servers, oder ein Gerät davor, ist defekt.")
FAULT(TLS_CLIENT_CERT_WANTED, "TLS-CLIENT-CERT-WANTED",
	"The server demands a client certificate, and there is none to show ({alert}).",
	"Der Server verlangt ein Client-Zertifikat, und es gibt keines vorzuweisen ({alert}).",
	"Let the server ask for client certificates without demanding them.",
	"Den Server um Client-Zertifikate bitten lassen, ohne sie zu verlangen.")
FAULT(TLS_SERVER_VERSION, "TLS-SERVER-VERSION",
	"The server and torhaus have no TLS version in common ({alert}); torhaus speaks TLS 1.2 and 1.3.",
	"Der Server und torhaus haben keine TLS-Version gemeinsam ({alert}); torhaus spricht TLS 1.2 und 1.3.",
	"Enable TLS 1.2 or 1.3 on the server.",
	"Auf dem Server TLS 1.2 oder 1.3 einschalten.")
FAULT(TLS_SERVER_REFUSED, "TLS-SERVER-REFUSED",
	"The server refused the handshake ({alert}), asked for {name}.",
	"Der Server lehnte den Handshake ab ({alert}), gefragt nach {name}.",
	"See the server's log; it may lack a certificate for that name, or a suite that is still safe.",
	"Im Protokoll des Servers nachsehen; ihm fehlt vielleicht ein Zertifikat für diesen Namen oder eine Suite, die noch sicher ist.")
FAULT(TLS_NOT_TRUSTED, "TLS-NOT-TRUSTED",
	"The server's certificate is not trusted: {error}.",
	"Dem Zertifikat des Servers wird nicht vertraut: {error}.",
	"Give the server a certificate of a CA that this machine knows (ca-certificates), for the name it is asked by.",
	"Dem Server ein Zertifikat einer CA geben, die diese Maschine kennt (ca-certificates), auf den Namen, unter dem er gefragt wird.")

/* ---- what is left ---- */
FAULT(TLS_TIMEOUT, "TLS-TIMEOUT",
	"The TLS handshake was not done in time; it came as far as {state}.",
	"Der TLS-Handshake war nicht rechtzeitig fertig; er kam bis {state}.",
	"None if it is rare; otherwise look for lost packets (path MTU) on the way to the peer.",
	"Keine, wenn es selten ist; sonst nach verlorenen Paketen (Path MTU) auf dem Weg zur Gegenstelle suchen.")
FAULT(TLS_HANDSHAKE_FAILED, "TLS-HANDSHAKE-FAILED",
	"The TLS handshake failed: {error} (alert sent {sent}, received {received}; asked for {sni}).",
	"Der TLS-Handshake ist gescheitert: {error} (Alert gesendet {sent}, empfangen {received}; verlangt {sni}).",
	"Record the connection with tcpdump: `torhaus tls explain --hello` says whether other certificates would help; ask the peer what its log says.",
	"Die Verbindung mit tcpdump aufzeichnen: `torhaus tls explain --hello` sagt, ob andere Zertifikate helfen würden; die Gegenstelle fragen, was ihr Protokoll sagt.")
/* clang-format on */
