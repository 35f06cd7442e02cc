/*
 * What questions about certificates, clients and logs are answered with when something is wrong:
 * part of base/fault.tbl.h (which see), for predict/predict.h, logs/logs.h and probe/served.h.
 */
/* clang-format off */
FAULT(FILE_UNREADABLE, "FILE-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} kann nicht gelesen werden: {error}.",
	"Check its name and its rights.",
	"Name und Rechte prüfen.")
FAULT(LOG_NOT_UNDERSTOOD, "LOG-NOT-UNDERSTOOD",
	"{file}: {understood} of {lines} lines were understood. {foreign} have a time, but are of no program that is read; {undated} have no time. The first that was not understood: {first}",
	"{file}: {understood} von {lines} Zeilen wurden verstanden. {foreign} haben eine Zeit, aber sind von keinem Programm, das gelesen wird; {undated} haben keine Zeit. Die erste nicht verstandene: {first}",
	"Give it the log of the mail server itself (Exim, Postfix, torhaus), its times included: not `journalctl -o cat`, for example. What it says of this file's failures is no all-clear.",
	"Das Protokoll des Mailservers selbst angeben (Exim, Postfix, torhaus), mit seinen Zeiten: also zum Beispiel nicht `journalctl -o cat`. Was hier über Fehlschläge dieser Datei steht, ist keine Entwarnung.")
FAULT(TLS_PEER_REFUSED, "TLS-PEER-REFUSED",
	"The client broke the handshake off after this server's answer, with an alert.",
	"Der Client brach den Handshake nach der Antwort dieses Servers mit einem Alert ab.",
	"Ask the peer what its log says; on this side, serve TLS 1.2 and 1.3, RSA and ECDSA certificates side by side, and a chain that is complete and short.",
	"Die Gegenstelle fragen, was ihr Protokoll sagt; auf dieser Seite TLS 1.2 und 1.3, RSA- und ECDSA-Zertifikate nebeneinander und eine vollständige, kurze Kette anbieten.")
FAULT(TLS_CLIENT_CERT_REFUSED, "TLS-CLIENT-CERT-REFUSED",
	"The server refused the client certificate that it was shown.",
	"Der Server lehnte das vorgezeigte Client-Zertifikat ab.",
	"Show none when sending mail (Postfix: empty smtp_tls_chain_files and smtp_tls_cert_file; Exim: no tls_certificate in the transport), or one that the server accepts.",
	"Beim Versand keines vorzeigen (Postfix: smtp_tls_chain_files und smtp_tls_cert_file leer; Exim: kein tls_certificate im Transport) oder eines, das der Server annimmt.")
FAULT(TLS_BROKEN_HERE, "TLS-BROKEN-HERE",
	"TLS did not work on this machine itself; the other side has no part in it.",
	"TLS funktionierte auf dieser Maschine selbst nicht; die andere Seite ist unbeteiligt.",
	"Look into the log of this machine's mail server from its start on: certificate, key, CA files, their rights, and its TLS settings.",
	"Im Protokoll des eigenen Mailservers von seinem Start an nachsehen: Zertifikat, Schlüssel, CA-Dateien, deren Rechte und seine TLS-Einstellungen.")
FAULT(TLS_DEMANDED, "TLS-DEMANDED",
	"The server takes this mail with TLS only, and it was sent without.",
	"Der Server nimmt diese Mail nur mit TLS an, und sie wurde ohne gesandt.",
	"Switch TLS on for outgoing mail (Postfix: smtp_tls_security_level = may; Exim: no hosts_avoid_tls), or lift the cause of the handshake that failed before.",
	"TLS für ausgehende Mail einschalten (Postfix: smtp_tls_security_level = may; Exim: kein hosts_avoid_tls) oder die Ursache des vorher gescheiterten Handshakes beheben.")
FAULT(TLS_HELLO_NOT_FOUND, "TLS-HELLO-NOT-FOUND",
	"No ClientHello was found in {file}: {why}.",
	"In {file} wurde kein ClientHello gefunden: {why}.",
	"Capture the start of the connection, for example with `tcpdump -s0 -w hello.pcap host ADDRESS and port 25`.",
	"Den Anfang der Verbindung aufzeichnen, etwa mit `tcpdump -s0 -w hello.pcap host ADRESSE and port 25`.")
FAULT(TLS_SUITES_UNKNOWN, "TLS-SUITES-UNKNOWN",
	"None of the names is one of a suite: {names}.",
	"Keiner der Namen ist der einer Suite: {names}.",
	"Write names as OpenSSL (ECDHE-RSA-AES128-GCM-SHA256) or IANA (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) has them, or numbers (0xc02f).",
	"Namen so schreiben wie OpenSSL (ECDHE-RSA-AES128-GCM-SHA256) oder IANA (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), oder Nummern (0xc02f).")
FAULT(CERT_CHANGE_BREAKS, "CERT-CHANGE-BREAKS",
	"The certificates in service now ({types}) keep {count} known peers out, which got through before and sent {mails} mails in the last 30 days; first of all {peer} ({code}).",
	"Die Zertifikate, die jetzt in Betrieb sind ({types}), sperren {count} bekannte Gegenstellen aus, die vorher durchkamen und in den letzten 30 Tagen {mails} Mails sandten; zuerst {peer} ({code}).",
	"Put a certificate of the former key type back beside the new one. `torhaus mail peers --failed` and `torhaus explain {code}` say more; before the next change ask `torhaus cert predict`.",
	"Ein Zertifikat der früheren Schlüsselart neben das neue zurücklegen. `torhaus mail peers --failed` und `torhaus explain {code}` sagen mehr; vor der nächsten Änderung `torhaus cert predict` fragen.")
FAULT(CERT_SERVED_OLD, "CERT-SERVED-OLD",
	"{address} serves an older {type} certificate (valid from {served_from} to {served_until}) than the one in {file} (valid from {from}), which has lain there since {since}.",
	"{address} liefert ein älteres {type}-Zertifikat aus (gültig von {served_from} bis {served_until}) als das in {file} (gültig ab {from}), das dort seit {since} liegt.",
	"Reload or restart that server: it still has what it read before.",
	"Jenen Server neu laden oder neu starten: Er hat noch, was er früher gelesen hat.")
FAULT(CERT_SERVED_OTHER, "CERT-SERVED-OTHER",
	"{address} serves another {type} certificate (of {issuer}, valid from {served_from} to {served_until}) than the newest on disk, {file} (valid from {from}).",
	"{address} liefert ein anderes {type}-Zertifikat aus (von {issuer}, gültig von {served_from} bis {served_until}) als das neueste auf der Platte, {file} (gültig ab {from}).",
	"See which file that server is set to use for this name, and whether something else answers at its address.",
	"Nachsehen, welche Datei jener Server für diesen Namen benutzen soll, und ob an seiner Adresse etwas anderes antwortet.")
FAULT(CERT_SERVED_MISSING, "CERT-SERVED-MISSING",
	"{address} serves no {type} certificate, although one lies in {file}: {error}.",
	"{address} liefert kein {type}-Zertifikat aus, obwohl eines in {file} liegt: {error}.",
	"Configure it beside the other (Postfix: smtpd_tls_chain_files; Exim: lists in tls_certificate and tls_privatekey; nginx: a second ssl_certificate), or reload the server.",
	"Neben dem anderen eintragen (Postfix: smtpd_tls_chain_files; Exim: Listen in tls_certificate und tls_privatekey; nginx: ein zweites ssl_certificate), oder den Server neu laden.")
FAULT(CERT_SERVED_UNKNOWN, "CERT-SERVED-UNKNOWN",
	"{address} could not be asked for its certificates: {error}.",
	"{address} konnte nicht nach seinen Zertifikaten gefragt werden: {error}.",
	"Check address, port and --starttls; ports 25 and 587 take smtp, others none unless told.",
	"Adresse, Port und --starttls prüfen; Port 25 und 587 nehmen smtp, andere ohne Angabe none.")
/* clang-format on */
