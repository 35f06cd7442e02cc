/*
 * What a survey finds at a remote server beside the causes of base/fault_tls.tbl.h: part of base/fault.tbl.h (which see).
 */
/* clang-format off */
FAULT(SCAN_NO_ADDRESS, "SCAN-NO-ADDRESS",
	"{place} has no address ({error}).",
	"{place} hat keine Adresse ({error}).",
	"Check the spelling, and whether the name still exists in the DNS.",
	"Die Schreibweise prüfen, und ob es den Namen im DNS noch gibt.")
FAULT(SCAN_UNREACHABLE, "SCAN-UNREACHABLE",
	"{place} cannot be reached: {error}.",
	"{place} ist nicht erreichbar: {error}.",
	"See whether the server runs and whether a firewall on the way blocks this port for this machine (many networks block port 25).",
	"Nachsehen, ob der Server läuft und ob eine Firewall auf dem Weg diesen Port für diese Maschine sperrt (viele Netze sperren Port 25).")
FAULT(SCAN_SILENT, "SCAN-SILENT",
	"{place} accepted the connection and then said nothing ({error}).",
	"{place} nahm die Verbindung an und sagte dann nichts ({error}).",
	"Ask again later with a longer --timeout; if it stays silent, the service behind the port hangs.",
	"Später mit längerem --timeout noch einmal fragen; bleibt er stumm, hängt der Dienst hinter dem Port.")
FAULT(SCAN_RATE_LIMITED, "SCAN-RATE-LIMITED",
	"{place} limits how often it may be asked: after {count} connections it said: {reply}",
	"{place} begrenzt, wie oft man fragen darf: nach {count} Verbindungen sagte er: {reply}",
	"What is known until then is shown; ask the rest later, with --quick or a longer --gap. It says nothing about its TLS.",
	"Was bis dahin bekannt war, wird gezeigt; den Rest später fragen, mit --quick oder längerem --gap. Über sein TLS sagt das nichts.")
FAULT(SCAN_MASKED, "SCAN-MASKED",
	"A firewall before {place} masks what the server says, STARTTLS included; seen: {reply}",
	"Eine Firewall vor {place} verdeckt, was der Server sagt, auch STARTTLS; zu sehen: {reply}",
	"Switch off the inspection of SMTP there (Cisco: no fixup protocol smtp, no inspect esmtp).",
	"Dort die SMTP-Inspektion abschalten (Cisco: no fixup protocol smtp, no inspect esmtp).")
FAULT(SCAN_REFUSES_TLS, "SCAN-REFUSES-TLS",
	"{place} answers but does not let TLS begin; it said: {reply}",
	"{place} antwortet, lässt TLS aber nicht beginnen; er sagte: {reply}",
	"454 usually means that it found no usable certificate when it started: its log says which file.",
	"454 heißt meist, dass er beim Start kein brauchbares Zertifikat fand: Sein Protokoll nennt die Datei.")
FAULT(SCAN_RESET, "SCAN-RESET",
	"{place} ends the connection as soon as it sees a ClientHello, whatever that offers.",
	"{place} beendet die Verbindung, sobald er ein ClientHello sieht, was immer es anbietet.",
	"A firewall that knows no TLS on this port, or a crashing TLS process: look at what lies between, and at the server's log.",
	"Eine Firewall, die auf diesem Port kein TLS kennt, oder ein abstürzender TLS-Prozess: nachsehen, was dazwischen liegt, und im Protokoll des Servers.")
FAULT(SCAN_ONLY_OBSOLETE, "SCAN-ONLY-OBSOLETE",
	"{place} speaks only what current TLS libraries have given up ({version}; {suites}).",
	"{place} spricht nur, was aktuelle TLS-Bibliotheken aufgegeben haben ({version}; {suites}).",
	"The server must be updated; until then senders that insist on TLS cannot reach it.",
	"Der Server muss erneuert werden; bis dahin erreichen ihn Absender nicht, die auf TLS bestehen.")
FAULT(SCAN_OBSOLETE, "SCAN-OBSOLETE",
	"{place} still accepts {what}.",
	"{place} nimmt noch {what} an.",
	"Switch these off; for mail keep at least TLS 1.2 with ECDHE, so that nobody falls back to plain text.",
	"Das abschalten; bei Mail wenigstens TLS 1.2 mit ECDHE behalten, damit niemand in Klartext zurückfällt.")
FAULT(SCAN_OLD_VERSION, "SCAN-OLD-VERSION",
	"{place} speaks at most {version}, obsolete since 2021 (RFC 8996).",
	"{place} spricht höchstens {version}, seit 2021 überholt (RFC 8996).",
	"The server's TLS library must be updated: senders with a current one begin at TLS 1.2.",
	"Die TLS-Bibliothek des Servers muss erneuert werden: Absender mit einer aktuellen beginnen bei TLS 1.2.")
FAULT(SCAN_ECDSA_ONLY, "SCAN-ECDSA-ONLY",
	"{place} serves only an ECDSA certificate; senders that can verify RSA alone fail and come without TLS, or not at all.",
	"{place} hat nur ein ECDSA-Zertifikat; Absender, die nur RSA prüfen können, scheitern und kommen ohne TLS oder gar nicht.",
	"Serve an RSA certificate beside it.",
	"Ein RSA-Zertifikat daneben ausliefern.")
FAULT(SCAN_CERT_EXPIRES, "SCAN-CERT-EXPIRES",
	"The {type} certificate of {place} expires in {days} days, at {until}.",
	"Das {type}-Zertifikat von {place} läuft in {days} Tagen ab, am {until}.",
	"See that its renewal works, and that the server is reloaded afterwards.",
	"Nachsehen, ob die Erneuerung funktioniert und der Server danach neu geladen wird.")
FAULT(SCAN_WEAK_DH, "SCAN-WEAK-DH",
	"{place} uses a classic DH group of {bits} bits, too small to be safe.",
	"{place} benutzt eine klassische DH-Gruppe von {bits} Bit, zu klein, um sicher zu sein.",
	"Use ECDHE, or DH parameters of 2048 bits or more.",
	"ECDHE benutzen, oder DH-Parameter ab 2048 Bit.")
FAULT(SCAN_COMPRESSION, "SCAN-COMPRESSION",
	"{place} compresses inside TLS, which gives secrets away (CRIME).",
	"{place} komprimiert innerhalb von TLS, was Geheimnisse verrät (CRIME).",
	"Switch TLS compression off.",
	"Die TLS-Kompression abschalten.")
/* clang-format on */
