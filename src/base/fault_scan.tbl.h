/*
 * What a survey finds at a remote server beside the causes of base/fault_tls.tbl.h: part of
 * base/fault.tbl.h (which see).
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
FAULT(SCAN_ODD_ONE, "SCAN-ODD-ONE",
	"{place} is not like its {count} siblings ({siblings}). It lacks what they have: {lacks}. It has what they lack: {has}.",
	"{place} ist nicht wie seine {count} Geschwister ({siblings}). Ihm fehlt, was sie haben: {lacks}. Er hat, was ihnen fehlt: {has}.",
	"If they are to be alike, look what was changed or forgotten there: certificate files, TLS settings, the library's version.",
	"Sollen sie gleich sein, nachsehen, was dort geändert oder vergessen wurde: Zertifikatsdateien, TLS-Einstellungen, Stand der Bibliothek.")
FAULT(SCAN_DNSSEC_BOGUS, "SCAN-DNSSEC-BOGUS",
	"The DNSSEC proof of {place}'s records fails: senders that validate get no answer, and do not deliver.",
	"Der DNSSEC-Beweis der Einträge von {place} ist ungültig: Absender, die prüfen, bekommen keine Antwort und stellen nicht zu.",
	"Look at the zone's signatures (expired? wrong DS record at the registry?) with `delv` or dnsviz.net.",
	"Die Signaturen der Zone ansehen (abgelaufen? falscher DS-Eintrag bei der Registry?), mit `delv` oder dnsviz.net.")
FAULT(SCAN_MX_UNKNOWN, "SCAN-MX-UNKNOWN",
	"The MX records of {domain} could not be asked for: {error}.",
	"Die MX-Einträge von {domain} waren nicht zu erfragen: {error}.",
	"Check the spelling and the domain's name servers, or name a resolver with --resolver.",
	"Die Schreibweise und die Nameserver der Domain prüfen, oder mit --resolver einen Resolver nennen.")
FAULT(SCAN_STS_RECORD, "SCAN-STS-RECORD",
	"The TXT record _mta-sts.{domain} is broken ({why}), so senders ignore the MTA-STS policy.",
	"Der TXT-Eintrag _mta-sts.{domain} ist fehlerhaft ({why}), Absender beachten die MTA-STS-Richtlinie daher nicht.",
	"Publish exactly one: \"v=STSv1; id=20260101T000000;\", with a new id whenever the policy changes.",
	"Genau einen veröffentlichen: \"v=STSv1; id=20260101T000000;\", mit neuer id bei jeder Änderung der Richtlinie.")
FAULT(SCAN_STS_FETCH, "SCAN-STS-FETCH",
	"{domain} announces MTA-STS, but https://mta-sts.{domain}/.well-known/mta-sts.txt cannot be fetched: {why}.",
	"{domain} kündigt MTA-STS an, aber https://mta-sts.{domain}/.well-known/mta-sts.txt ist nicht abrufbar: {why}.",
	"Serve it there as text/plain with a certificate of a public CA for mta-sts.{domain}, without redirects.",
	"Sie dort als text/plain ausliefern, mit einem Zertifikat einer öffentlichen CA für mta-sts.{domain}, ohne Weiterleitung.")
FAULT(SCAN_STS_POLICY, "SCAN-STS-POLICY",
	"The MTA-STS policy of {domain} is malformed: {why}.",
	"Die MTA-STS-Richtlinie von {domain} ist fehlerhaft: {why}.",
	"Write version: STSv1, mode:, mx: (one line a name) and max_age:, each on a line of its own (RFC 8461 3.2).",
	"version: STSv1, mode:, mx: (eine Zeile je Name) und max_age: schreiben, jedes auf einer eigenen Zeile (RFC 8461 3.2).")
FAULT(SCAN_STS_MX, "SCAN-STS-MX",
	"{mx} is an MX of {domain}, but its MTA-STS policy (mode {mode}) does not name it.",
	"{mx} ist ein MX von {domain}, aber die MTA-STS-Richtlinie (Modus {mode}) nennt ihn nicht.",
	"Add \"mx: {mx}\" to the policy and change the id of the TXT record; in mode enforce senders do not use this MX until then.",
	"\"mx: {mx}\" in die Richtlinie aufnehmen und die id des TXT-Eintrags ändern; im Modus enforce benutzen Absender diesen MX bis dahin nicht.")
FAULT(SCAN_STS_CERT, "SCAN-STS-CERT",
	"{mx} is an MX of {domain}, whose MTA-STS policy (mode {mode}) demands TLS with a valid certificate: {why}.",
	"{mx} ist ein MX von {domain}, deren MTA-STS-Richtlinie (Modus {mode}) TLS mit gültigem Zertifikat verlangt: {why}.",
	"Serve a certificate of a public CA for {mx}, or set the policy to mode: testing until it is there.",
	"Ein Zertifikat einer öffentlichen CA für {mx} ausliefern, oder die Richtlinie bis dahin auf mode: testing stellen.")
FAULT(SCAN_CACHE_UNUSABLE, "SCAN-CACHE-UNUSABLE",
	"Results of scans cannot be kept in {file}: {error}. This scan goes on without.",
	"Ergebnisse von Untersuchungen lassen sich nicht in {file} aufheben: {error}. Diese Untersuchung läuft ohne.",
	"Remove that file or let this user own it and write in its folder; $XDG_CACHE_HOME names another place.",
	"Die Datei entfernen oder sie diesem Benutzer geben und ihn in ihrem Ordner schreiben lassen; $XDG_CACHE_HOME nennt einen anderen Ort.")
FAULT(SCAN_CACHE_DAMAGED, "SCAN-CACHE-DAMAGED",
	"{count} lines of {file}, where results of scans are kept, are damaged; they do not count, and those servers are asked again.",
	"{count} Zeilen von {file}, wo Ergebnisse von Untersuchungen aufgehoben werden, sind beschädigt; sie zählen nicht, und jene Server werden neu gefragt.",
	"Nothing: they are gone once this scan ends. If it happens again, look at the disk.",
	"Nichts: Sie sind fort, sobald diese Untersuchung endet. Geschieht es wieder, die Platte ansehen.")
/* clang-format on */
